import { type CacheEvent } from '../../cache/index.js';

/** What a node tells the others of its events: who invalidated what, and when it was dropped here. */
export type Notice = Extract<CacheEvent, { readonly type: 'invalidated' | 'dropped' | 'cleared' }>;

/** Notices of a moment, as they are published. */
export interface NoticeMessage {
  /** Unique among nodes. */
  readonly id: string;
  /** For people. */
  readonly node: string;
  readonly notices: readonly Notice[];
  /** Notices of that moment that were too many. */
  readonly missed: number;
}

export const noticesChannel = 'strata:notices';

const longestTags = 20;

/** The notice of an event; undefined where the event is nobody else's business. Of very many tags only the first are told. */
export function noticeOf(event: CacheEvent): Notice | undefined {
  if (event.type === 'cleared') return event;
  if (event.type !== 'invalidated' && event.type !== 'dropped') return undefined;
  return { ...event, tags: event.tags.slice(0, longestTags) };
}
