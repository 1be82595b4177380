import { randomUUID } from 'node:crypto';
import { type Tag } from '../../core/tags.js';

/*
 * Names in Redis. Every key and every channel begins with `strata:` and the namespace of the service; channels are those of
 * the whole server, whatever the number of the database. A generation's name begins with its namespace, too, so whoever
 * knows the generation in force can name everything.
 */

const prefix = 'strata';

/**
 * How a value is serialised. Part of value fields and of derived keys only, never of the coherence state: an old and a
 * new build fence each other.
 */
export const codec = 'v2';
export const valueField = `val:${codec}`;

const separator = ':';

export const newGeneration = (namespace: string): string => `${namespace}${separator}${randomUUID()}`;
export const namespaceOf = (gen: string): string => gen.slice(0, gen.indexOf(separator));

export const recordKey = (namespace: string): string => `${prefix}:${namespace}:record`;
export const initKey = (namespace: string): string => `${prefix}:${namespace}:init`;

/** Of what is tried before a server is used: a hash, a set and a text. */
export const trialKeys = (namespace: string): string[] =>
  ['hash', 'set', 'text'].map((type) => `${prefix}:${namespace}:trial:${type}`);
export const trialChannel = (namespace: string): string => `${prefix}:${namespace}:trial`;

export const invalidationChannel = (namespace: string): string => `${prefix}:${namespace}:invalidations`;
/** Carries the name of each generation as it begins, and behind a '!' that of each as it ends: what belongs to another one is to be dropped. */
export const generationChannel = (namespace: string): string => `${prefix}:${namespace}:generations`;
/** A message on it means that policies have changed. */
export const policiesChannel = (namespace: string): string => `${prefix}:${namespace}:policies`;
/** Each node's own channel: heartbeats come back on it, and acknowledgements of its invalidations. */
export const nodeChannel = (namespace: string, node: string): string => `${prefix}:${namespace}:node:${node}`;

/** The nodes whose L1 must acknowledge what strict writers change, with the number of their heartbeats. */
export const nodesKey = (gen: string): string => `${prefix}:${gen}:nodes`;
/** What each node has last counted. */
export const beatsKey = (gen: string): string => `${prefix}:${gen}:beats`;
/** The hash of a tag: stamp, pending writers, fence, tickets and, for a row, its value. */
export const tagKey = (gen: string, tag: Tag): string => `${prefix}:${gen}:tag:${tag}`;
/** The tags that a transaction has fenced, for the feed. */
export const notedKey = (gen: string, xid: string): string => `${prefix}:${gen}:fenced:${xid}`;
/** An entry made of several tags. In UTF-8, halves of surrogate pairs would all be the same. */
export const derivedKey = (gen: string, key: string): string =>
  `${prefix}:${gen}:${codec}:${halfPair.test(key) ? JSON.stringify(key) : key}`;
const halfPair = /[\ud800-\udfff]/u;

/** The generation that a key belongs to. */
export const generationInKey = (key: string): string | undefined =>
  new RegExp(`^${prefix}:([a-z0-9-]+:[0-9a-f-]{36}):`).exec(key)?.[1];
export const everyKey = (namespace: string): string => `${prefix}:${namespace}:*`;
