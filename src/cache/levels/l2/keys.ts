import { type Tag } from '../../core/tags.js';

const prefix = 'strata';

/**
 * How a value is serialised. Part of value fields and of derived keys only, never of the coherence state: an old and a
 * new build fence each other.
 */
export const codec = 'v2';
export const valueField = `val:${codec}`;

export const recordKey = `${prefix}:record`;
export const initKey = `${prefix}:init`;
export const invalidationChannel = `${prefix}:invalidations`;
/** Carries the name of each generation as it begins: whatever belongs to another one is to be dropped. */
export const generationChannel = `${prefix}:generations`;

/** Each node's own channel: heartbeats come back on it, and acknowledgements of its invalidations. */
export const nodeChannel = (node: string): string => `${prefix}:node:${node}`;

/** The nodes whose L1 must acknowledge what strict writers change, with the number of their heartbeats. */
export const nodesKey = (gen: string): string => `${prefix}:${gen}:nodes`;
/** The hash of a tag: stamp, pending writers, fence, tickets and, for a row, its value. */
export const tagKey = (gen: string, tag: Tag): string => `${prefix}:${gen}:tag:${tag}`;
/** An entry made of several tags. In UTF-8, halves of surrogate pairs would all be the same. */
export const derivedKey = (gen: string, key: string): string =>
  `${prefix}:${gen}:${codec}:${halfPair.test(key) ? JSON.stringify(key) : key}`;
const halfPair = /[\ud800-\udfff]/u;

/** The generation that a key belongs to. */
export const generationOf = (key: string): string | undefined =>
  new RegExp(`^${prefix}:([0-9a-f-]{36}):`).exec(key)?.[1];
export const everyKey = `${prefix}:*`;
