import { Injectable } from '@nestjs/common';
import { type Tag } from '../core/tags.js';
import { type Address, type Entry } from '../levels/level.js';
import { derivedKey, tagKey, valueField } from '../levels/l2/keys.js';
import { RedisConnection } from '../levels/l2/redis-connection.js';
import { parseDependencies, rowDependencies } from '../levels/l2/redis-level.js';

const entryFields = [valueField, 'stamp', 'cs', 'until', 'body', 'deps'] as const;
const tagFields = ['stamp', 'pend'] as const;

/** The coherence state of one tag. */
export interface TagReport {
  readonly tag: Tag;
  /** Absent: unknown, hence nothing that depends on it can be served. */
  readonly stamp: string | undefined;
  /** Transaction ids of writers that may still be committing. */
  readonly pending: readonly string[];
}

interface Hash {
  readonly leftMs: number;
  readonly values: readonly (string | null)[];
}

/** Looks at L2 without touching it. Throws `LevelUnavailableError` where Redis does not answer. */
@Injectable()
export class RedisInspector {
  constructor(private readonly connection: RedisConnection) {}

  /** What is stored, whether or not it may be served. */
  async entries(gen: string, addresses: readonly Address[]): Promise<(Entry | undefined)[]> {
    const { nowMs, hashes } = await this.#look(
      gen,
      addresses.map((address) => (address.kind === 'row' ? tagKey(gen, address.tag) : derivedKey(gen, address.key))),
      entryFields,
    );
    return addresses.map((address, i) => entryOf(address, hashes[i]!, nowMs));
  }

  async tags(gen: string, tags: readonly Tag[]): Promise<TagReport[]> {
    const keys = tags.map((tag) => tagKey(gen, tag));
    const { hashes } = await this.#look(gen, keys, tagFields);
    return hashes.map(({ values: [stamp, pend] }, i) => ({
      tag: tags[i]!,
      stamp: stamp ?? undefined,
      pending: pend ? pend.split(',') : [],
    }));
  }

  async #look(gen: string, keys: readonly string[], fields: readonly string[]) {
    const [nowMs, ...hashes] = (await this.connection.run(gen, 'inspect', keys, fields)) as [
      number,
      ...[leftMs: number, values: (string | null)[]][],
    ];
    return { nowMs, hashes: hashes.map(([leftMs, values]): Hash => ({ leftMs, values })) };
  }
}

function entryOf(address: Address, { leftMs, values }: Hash, nowMs: number): Entry | undefined {
  const [value, stamp, coarseStamp, until, derived, dependencies] = values;
  const body = address.kind === 'row' ? value : derived;
  if (typeof body !== 'string') return undefined;
  return {
    body,
    dependencies:
      address.kind === 'row'
        ? rowDependencies(address, stamp ?? '', coarseStamp ?? '')
        : parseDependencies(dependencies ?? '[]'),
    freshMs: Number(until) - nowMs,
    keepMs: leftMs,
  };
}
