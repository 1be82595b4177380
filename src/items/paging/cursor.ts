import { createHash } from 'node:crypto';
import { badRequest } from '../../http/index.js';
import { type Key, type SortName, sortOf } from './sort.js';

/** What a cursor is bound to: continuing another list with it would skip or repeat rows. */
export interface CursorScope {
  readonly sort: SortName;
  readonly category?: string | undefined;
  readonly q?: string | undefined;
}

const digestBytes = 9;

/** Opaque text: a digest over scope and key (it finds tampering by accident or hand, it is no secret), then the key. */
export function encodeCursor(scope: CursorScope, key: Key): string {
  const payload = Buffer.from(JSON.stringify(key));
  return Buffer.concat([digest(scope, payload), payload]).toString('base64url');
}

/** @throws 400 for a cursor that was not made by {@link encodeCursor} for this scope */
export function decodeCursor(scope: CursorScope, cursor: string): Key {
  const bytes = Buffer.from(cursor, 'base64url');
  const payload = bytes.subarray(digestBytes);
  const intact =
    bytes.toString('base64url') === cursor && digest(scope, payload).equals(bytes.subarray(0, digestBytes));
  const key: unknown = intact ? parse(payload) : undefined;
  if (sortOf(scope).accepts(key)) return key;
  throw badRequest({ in: 'query', field: 'cursor', message: 'is not a cursor of this sort and these filters' });
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

function digest({ sort, category, q }: CursorScope, payload: Buffer): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([sort, category ?? null, q ?? null]))
    .update(payload)
    .digest()
    .subarray(0, digestBytes);
}
