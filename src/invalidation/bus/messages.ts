import { type InvalidationMessage } from '../../cache/index.js';

/*
 * What comes on a channel may come from anybody who can reach the server. Whatever is no message of ours is undefined: it
 * changes nothing, and ends no connection.
 */

/** What comes on a node's own channel: the answer to a heartbeat, or another node's acknowledgement. */
export type NodeMessage = { readonly beat: number } | { readonly ack: string; readonly node: string };

export function invalidationIn(text: string): InvalidationMessage | undefined {
  const { tags, atMs, ack } = objectIn(text);
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string') || typeof atMs !== 'number')
    return undefined;
  if (ack === undefined) return { tags, atMs };
  const { to, id } = Object(ack) as Record<string, unknown>;
  return typeof to === 'string' && typeof id === 'string' ? { tags, atMs, ack: { to, id } } : undefined;
}

export function nodeMessageIn(text: string): NodeMessage | undefined {
  const { beat, ack, node } = objectIn(text);
  if (typeof beat === 'number') return { beat };
  return typeof ack === 'string' && typeof node === 'string' ? { ack, node } : undefined;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
