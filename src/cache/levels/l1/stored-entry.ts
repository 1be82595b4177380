import { type Moment } from '../../clock.js';
import { type Dependency } from '../../core/tags.js';
import { type LevelName } from '../../events.js';
import { type Term } from './lease.js';
import { type Holder } from './tag-index.js';

/** What an entry costs besides its own text: map slots, index slots, objects. Measured, rounded up. */
const entryOverheadBytes = 400;
const dependencyOverheadBytes = 200;
/** An entry where it lies. What is attached to it goes with it, in the same step: it cannot be stale by itself. */
export interface Held {
  readonly body: string;
  readonly dependencies: readonly Dependency[];
  /** Monotonic. */
  readonly freshUntilMs: number;
  readonly attachment?: unknown;
}

export interface StoredEntry extends Holder, Held {
  readonly key: string;
  readonly term: Term | undefined;
  /** Kept without the node's lease, under one of its own that began then. */
  readonly blindSince: Moment | undefined;
  readonly keepUntilMs: number;
  readonly from: LevelName | undefined;
  attachment?: unknown;
  attachedBytes: number;
}

/** In bytes. */
export function sizeOf(key: string, { body, dependencies, attachedBytes }: StoredEntry): number {
  const texts = 2 * (key.length + body.length);
  return texts + entryOverheadBytes + dependencies.length * dependencyOverheadBytes + attachedBytes;
}
