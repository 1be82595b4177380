import { sees, type Snapshot, type Xid } from './snapshot.js';

/*
 * The decisions of the protocol, as pure functions of the state of tags. The scripts in Redis take the same decisions in
 * Lua, and a test runs both on the same generated states; the model and the simulation run these.
 */

/** What is kept of a tag. Immutable: every change makes a new one. */
export interface TagState {
  /** Current stamp: random, never reused. */
  readonly stamp: string;
  /** Writers that may still be committing, ascending by arrival. */
  readonly pend: readonly Xid[];
  /** Recent writers. */
  readonly fence: readonly Xid[];
  /** Highest id that was pruned from the fence. */
  readonly ff: Xid;
  /** By nonce: the coarse stamp that was seen when the ticket was taken. */
  readonly tickets: Readonly<Record<string, string>>;
  /** Of a row: its value, and the coarse stamp that it was filled under. */
  readonly value?: { readonly body: string; readonly coarse: string };
}

/** How many ids a fence keeps although they could be pruned. */
export const fenceKeep = 8;
/** Beyond so many ids a fence stops telling them apart: only a snapshot that is past all of them will do. */
export const fenceLimit = 256;
/** Beyond so many fields of a hash, its tickets are voided. */
export const ticketLimit = 64;

/** What the fences of a generation cannot know of: see {@link isPast}. */
export interface Beginning {
  /** An id taken after the generation before had ended: a snapshot that sees it was taken later still. */
  readonly epoch: Xid;
  /** Writers of the service that were running then: each may have fenced in an earlier generation, and commit in this one. */
  readonly writers: readonly Xid[];
}

/**
 * Whether a load has seen every writer whose fence may be missing from a generation. Whoever fences after COMMIT was
 * visible to every snapshot taken since, or fences in this generation; whoever fences before COMMIT is listed. Other
 * transactions, however long they run, fence nothing, hence miss nothing.
 */
export function isPast({ epoch, writers }: Beginning, snapshot: Snapshot): boolean {
  return sees(snapshot, epoch) && writers.every((xid) => sees(snapshot, xid));
}

export const freshTag = (stamp: string): TagState => ({ stamp, pend: [], fence: [], ff: 0, tickets: {} });

/** GET: whether a row's value may be served. */
export function rowIsServable(row: TagState, coarse: TagState): boolean {
  return (
    row.value !== undefined && row.pend.length === 0 && coarse.pend.length === 0 && row.value.coarse === coarse.stamp
  );
}

export type FillRefusal = 'ticket' | 'coarse' | 'epoch' | 'fence';

/** FILL: why a row's load may not be kept; undefined if it may. */
export function refuseRowFill(
  row: TagState | undefined,
  coarse: TagState | undefined,
  nonce: string,
  snapshot: Snapshot,
  beginning: Beginning,
): FillRefusal | undefined {
  const ticket = row?.tickets[nonce];
  if (!row || ticket === undefined) return 'ticket';
  if (coarse?.stamp !== ticket) return 'coarse';
  if (!isPast(beginning, snapshot)) return 'epoch';
  return provenFor(row, snapshot) && provenFor(coarse, snapshot) ? undefined : 'fence';
}

/** Whether a load has seen every recent writer of a tag. */
export function provenFor({ fence, ff }: Pick<TagState, 'fence' | 'ff'>, snapshot: Snapshot): boolean {
  return snapshot.xmin > ff && fence.every((xid) => sees(snapshot, xid));
}

/** The row after an accepted FILL: nothing pending, all tickets void, the fence kept (and pruned behind the snapshot). */
export function filledRow(row: TagState, body: string, coarse: string, snapshot: Snapshot): TagState {
  const { kept, ff } = prune(row.fence, snapshot.xmin, row.ff);
  return { stamp: row.stamp, pend: [], fence: kept, ff, tickets: {}, value: { body, coarse } };
}

/**
 * FENCE: a new stamp, without value or tickets, pending until a load has seen the writer.
 * @param xmin of a snapshot of the writer's: every id below has ended
 */
export function fenced(tag: TagState | undefined, xid: Xid, xmin: Xid, stamp: string): TagState {
  const pruned = prune(including(tag?.fence ?? [], xid), xmin, tag?.ff ?? 0);
  const collapsed = pruned.kept.length > fenceLimit;
  const fence = collapsed ? [xid] : pruned.kept;
  const ff = collapsed ? Math.max(pruned.ff, ...pruned.kept) : pruned.ff;
  const pend = including(tag?.pend ?? [], xid).filter((id) => id > ff || id === xid);
  return { stamp, pend, fence, ff, tickets: {} };
}

/** A writer that certainly rolled back. */
export function withoutPending(tag: TagState, xid: Xid): TagState {
  return { ...tag, pend: tag.pend.filter((id) => id !== xid) };
}

/** A new stamp on an operator's word: no value, no tickets; writers and fence stay. */
export function invalidated(tag: TagState | undefined, stamp: string): TagState {
  const { pend, fence, ff } = tag ?? freshTag(stamp);
  return { stamp, pend, fence, ff, tickets: {} };
}

/** A derived entry's tag at a store: its writers are cleared if the load has seen each of them. */
export function settled(tag: TagState, snapshot: Snapshot | undefined): TagState {
  return snapshot && tag.pend.every((xid) => sees(snapshot, xid)) ? { ...tag, pend: [] } : tag;
}

/** A derived entry's tag at a read: whether what was made under a stamp may be served. */
export function holds(tag: TagState | undefined, stamp: string): boolean {
  return tag?.stamp === stamp && tag.pend.length === 0;
}

function including(ids: readonly Xid[], xid: Xid): readonly Xid[] {
  return ids.includes(xid) ? ids : [...ids, xid];
}

/** Ids below xmin are finished for every snapshot to come: they leave the list, and ff remembers the highest of them. */
function prune(ids: readonly Xid[], xmin: Xid, ff: Xid): { readonly kept: readonly Xid[]; readonly ff: Xid } {
  if (ids.length <= fenceKeep) return { kept: ids, ff };
  const ascending = [...ids].sort((a, b) => a - b);
  const prunable = ascending.slice(0, -fenceKeep).filter((xid) => xid < xmin);
  return { kept: ascending.slice(prunable.length), ff: Math.max(ff, ...prunable) };
}
