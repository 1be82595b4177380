import { type PolicyName } from '../../src/policies/index.js';
import { type History, type Read, tagOf, type Version } from './history.js';

/**
 * R: a read after an acknowledged write is older than it. S: and by more than a lease. A: new, then old. P: a value that
 * the database never had. E: left stale once everything has settled. H: a node does not heal.
 */
export type Kind = 'R' | 'S' | 'A' | 'P' | 'E' | 'H';

export interface Violation {
  readonly kind: Kind;
  readonly text: string;
  /** What the reader could rely on. */
  readonly policy: PolicyName;
  /** R: the reader's node is the one that acknowledged. */
  readonly ownWrite?: boolean;
}

const coarse = 'things:*';

/** Reads of the same register and the writes to it, against what the database had and when. */
export function check(history: History, leaseMs: number): Violation[] {
  const violations: Violation[] = [];
  const reads = [...history.reads].sort((a, b) => a.began.tick - b.began.tick);
  const placed = new Map<Read, number>();
  for (const read of reads) {
    const versions = history.versions.get(read.register) ?? [];
    const acknowledged = newestAcknowledged(versions, read);
    const seen = Math.max(
      -1,
      ...reads
        .filter((other) => other.register === read.register && other.endedTick < read.began.tick)
        .map((other) => placed.get(other) ?? -1),
    );
    // The same value may have been there several times: the read is placed as early as it can have been.
    const candidates = versions.flatMap(({ value, atTick }, i) =>
      value === read.value && atTick < read.endedTick ? [i] : [],
    );
    const at = candidates.find((i) => i >= acknowledged && i >= seen) ?? candidates.at(-1);
    if (at === undefined) {
      violations.push({ kind: 'P', policy: read.policy, text: `${describe(read)}: no committed state` });
      continue;
    }
    placed.set(read, at);
    if (at < acknowledged) violations.push(stale(read, versions, at, leaseMs));
    if (at < seen) {
      const text = `${describe(read)}: an earlier read saw ${versions[seen]!.value}`;
      violations.push({ kind: 'A', policy: read.policy, text });
    }
  }
  return violations;
}

function newestAcknowledged(versions: readonly Version[], { began }: Read): number {
  return versions.findLastIndex(({ by }) => by?.acknowledged && by.acknowledged.tick < began.tick);
}

function stale(read: Read, versions: readonly Version[], at: number, leaseMs: number): Violation {
  const missed = versions
    .slice(at + 1)
    .flatMap(({ by }) => (by?.acknowledged && by.acknowledged.tick < read.began.tick ? [by] : []));
  // A weaker policy's promise begins once Redis has been told, too: its journal says later what it could not say then.
  const tag = tagOf(read.register);
  const overdueMs = missed.map(({ acknowledged, fencedAtMs }) => {
    const toldMs = fencedAtMs.get(tag) ?? fencedAtMs.get(coarse);
    return toldMs === undefined ? -1 : read.began.ms - Math.max(acknowledged!.ms, toldMs);
  });
  const names = missed.map(({ name, acknowledged }) => `${name} (${read.began.ms - acknowledged!.ms} ms before)`);
  return {
    kind: Math.max(...overdueMs) > leaseMs ? 'S' : 'R',
    policy: read.policy,
    text: `${describe(read)} although ${names.join(', ')} had been acknowledged`,
    ownWrite: missed.some(({ node }, i) => node === read.node && overdueMs[i]! >= 0),
  };
}

function describe({ reader, node, register, value }: Read): string {
  return `${reader} on ${node} read ${register} = ${value}`;
}
