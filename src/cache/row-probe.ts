import { namesOf } from './core/tags.js';

/** What a rule's functions do with a row, as far as made-up rows show it: a branch that they do not take stays unseen. */
export interface Probed {
  /** The attributes that were looked at, by their path: `author.id`. */
  readonly read: ReadonlySet<string>;
  /** The attributes of each filter that came out, joined. */
  readonly filters: ReadonlySet<string>;
}

/** Runs a function of a rule on rows of which everything can be asked: once with values, once with none. */
export function probe(work: (row: never) => unknown): Probed {
  const read = new Set<string>();
  const filters = new Set<string>();
  for (const value of [anything, () => null]) {
    try {
      const made = work(madeUpRow(read, value) as never);
      if (Array.isArray(made))
        for (const filter of made as unknown[]) if (isFilter(filter)) filters.add(namesOf(Object.keys(filter)));
    } catch {
      // It cannot do with such a row; what it has looked at until then is known.
    }
  }
  return { read, filters };
}

const isFilter = (value: unknown): value is object => typeof value === 'object' && value !== null;

const madeUpRow = (read: Set<string>, value: (path: string, read: Set<string>) => unknown): object =>
  new Proxy(
    {},
    {
      get: (_, name) => {
        if (typeof name !== 'string') return undefined;
        read.add(name);
        return value(name, read);
      },
      has: (_, name) => typeof name === 'string' && value(name, read) !== null,
    },
  );

/** A value that can be called, compared, printed, iterated and asked for whatever it has. */
function anything(path: string, read: Set<string>): unknown {
  return new Proxy(() => undefined, {
    get: (_, name) => {
      if (name === Symbol.toPrimitive) return () => '1';
      if (name === Symbol.iterator) return () => [anything(path, read)][Symbol.iterator]();
      if (typeof name !== 'string') return undefined;
      if (name === 'map' || name === 'flatMap')
        return (each: (one: unknown) => unknown) => [each(anything(path, read))].flat();
      if (name === 'filter' || name === 'slice' || name === 'sort') return () => anything(path, read);
      read.add(`${path}.${name}`);
      return anything(`${path}.${name}`, read);
    },
    has: () => true,
    apply: () => anything(path, read),
  });
}
