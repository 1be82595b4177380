import { type PolicyName } from '../../src/policies/index.js';
import { type Row } from './memory-postgres.js';

/** A value that the database had from one commit to the next, of a row or of a list. */
export interface Version {
  readonly value: string;
  readonly atTick: number;
  readonly by?: Write | undefined;
}

export interface Write {
  readonly name: string;
  readonly node: string;
  /** When its client was told that it is done; undefined: never. */
  acknowledged?: { readonly tick: number; readonly ms: number };
  xid?: number | undefined;
  /** When Redis had been told, in ms, by tag; that may have been before its COMMIT. */
  fencedAtMs: ReadonlyMap<string, number>;
}

export interface Read {
  readonly reader: string;
  readonly node: string;
  /** The weaker of what its node promised when it began and when it ended. */
  readonly policy: PolicyName;
  readonly register: string;
  readonly value: string;
  readonly began: { readonly tick: number; readonly ms: number };
  readonly endedTick: number;
}

/** What one can read: `row 1`, `list a`, `list all`. */
export const registers = ['row 1', 'row 2', 'row 3', 'list a', 'list b', 'list all'] as const;
export type Register = (typeof registers)[number];

export function valueOf(register: string, rows: readonly Row[]): string {
  const [kind, which] = register.split(' ');
  if (kind === 'row') return JSON.stringify(rows.find(({ id }) => id === Number(which)) ?? null);
  return JSON.stringify(rows.filter(({ category }) => which === 'all' || category === which));
}

/** The tag that a register's readers depend on. */
export function tagOf(register: string): string {
  const [kind, which] = register.split(' ');
  if (kind === 'row') return `things:${which}`;
  return which === 'all' ? 'things' : `things?category=${which}`;
}

/** What happened, in the order in which it happened. */
export class History {
  readonly versions = new Map<string, Version[]>();
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  #tick = 0;

  constructor(private readonly nowMs: () => number) {}

  now(): { readonly tick: number; readonly ms: number } {
    return { tick: ++this.#tick, ms: this.nowMs() };
  }

  begin(name: string, node: string): Write {
    const write: Write = { name, node, fencedAtMs: new Map() };
    this.writes.push(write);
    return write;
  }

  /** A transaction has become visible. @param by name of its session, whose writer is told apart by {@link claim} */
  committed(by: string | undefined, rows: readonly Row[], xid?: number): void {
    const write = by === undefined ? undefined : this.#writers.get(by);
    if (write && xid !== undefined) Object.assign(write, { xid, fencedAtMs: this.#fencesOf(xid) });
    const { tick } = this.now();
    for (const register of registers) {
      const value = valueOf(register, rows);
      const versions = this.versions.get(register) ?? [];
      if (versions.at(-1)?.value !== value) versions.push({ value, atTick: tick, by: write });
      this.versions.set(register, versions);
    }
  }

  readonly #writers = new Map<string, Write>();
  /** By transaction id. */
  readonly #fences = new Map<number, Map<string, number>>();

  /** The session of a writer. */
  claim(session: string, write: Write): void {
    this.#writers.set(session, write);
  }

  /** Redis has fenced tags for a transaction: keys end with the tag. */
  fenced(xid: string, keys: readonly string[]): void {
    const fences = this.#fencesOf(Number(xid));
    const { ms } = this.now();
    for (const key of keys) {
      const tag = key.slice(key.indexOf(':tag:') + ':tag:'.length);
      if (!fences.has(tag)) fences.set(tag, ms);
    }
  }

  #fencesOf(xid: number): Map<string, number> {
    const fences = this.#fences.get(xid) ?? new Map<string, number>();
    this.#fences.set(xid, fences);
    return fences;
  }

  read(reader: Omit<Read, 'register' | 'value' | 'endedTick'>, parts: readonly (readonly [string, string])[]): void {
    const endedTick = this.now().tick;
    for (const [register, value] of parts) this.reads.push({ ...reader, register, value, endedTick });
  }
}
