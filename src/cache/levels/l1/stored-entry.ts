import { type Moment } from '../../clock.js';
import { type Dependency } from '../../core/tags.js';
import { type LevelName } from '../../events.js';
import { type Term } from './lease.js';
import { type Holder } from './tag-index.js';

/** What an entry costs besides its own text: map slots, index slots, objects. Measured, rounded up. */
const entryOverheadBytes = 400;
const dependencyOverheadBytes = 200;

/** What hangs on an entry: it goes with it, in the same step, and cannot be stale by itself. */
export interface Attachment {
  readonly bytes: number;
  /** The entry is no longer there. */
  gone(): void;
}

/** What says whether an entry may be served. Times are monotonic, and whole: V8 keeps fractions, and long ones, as objects. */
export interface Servable {
  readonly key: string;
  readonly term: Term | undefined;
  /** Kept without the node's lease, under one of its own that began then. */
  readonly blindSince: Moment | undefined;
  readonly freshUntilMs: number;
  /** The period in which it was last told to have been used. */
  usedIn: number;
}

/** An entry where it lies. */
export interface StoredEntry extends Servable, Holder {
  readonly body: string;
  readonly dependencies: readonly Dependency[];
  readonly keepUntilMs: number;
  readonly from: LevelName | undefined;
  attachment: Attachment | undefined;
}

/** In bytes. */
export function sizeOf(key: string, { body, dependencies, attachment }: StoredEntry): number {
  const texts = 2 * (key.length + body.length);
  return texts + entryOverheadBytes + dependencies.length * dependencyOverheadBytes + (attachment?.bytes ?? 0);
}
