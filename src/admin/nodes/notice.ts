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

export const noticesChannel = (namespace: string): string => `strata:${namespace}:notices`;

const longestTags = 20;

/** The notice of an event; undefined where the event is nobody else's business. Of very many tags only the first are told. */
export function noticeOf(event: CacheEvent): Notice | undefined {
  if (event.type === 'cleared') return event;
  if (event.type !== 'invalidated' && event.type !== 'dropped') return undefined;
  return { ...event, tags: event.tags.slice(0, longestTags) };
}

/** Undefined where somebody else has published what is no message of ours. */
export function noticeMessageIn(text: string): NoticeMessage | undefined {
  try {
    const message = JSON.parse(text) as Partial<NoticeMessage> | null;
    const { id, node, notices, missed } = message ?? {};
    const known = typeof id === 'string' && typeof node === 'string' && typeof missed === 'number';
    if (!known || !Array.isArray(notices) || !notices.every(isNotice)) return undefined;
    return { id, node, notices, missed };
  } catch {
    return undefined;
  }
}

function isNotice(value: unknown): value is Notice {
  const { type, tags } = Object(value) as Partial<Record<'type' | 'tags', unknown>>;
  return type === 'cleared' || ((type === 'invalidated' || type === 'dropped') && Array.isArray(tags));
}
