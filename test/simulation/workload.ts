import { type PolicyName } from '../../src/policies/index.js';
import fc from 'fast-check';
import { type CommitFate } from './world/session.js';

export type Change =
  | { readonly do: 'update'; readonly id: number; readonly category?: string; readonly locks: boolean }
  | { readonly do: 'insert'; readonly id: number; readonly category: string }
  | { readonly do: 'remove'; readonly id: number; readonly locks: boolean }
  | { readonly do: 'bulk'; readonly category: string; readonly to: string }
  | { readonly do: 'savepoint'; readonly changes: readonly Change[]; readonly rollback: boolean };

/** Begins when so many steps have been taken, or when nothing else can happen. */
interface Actor {
  readonly at: number;
  readonly node: number;
}

export interface Writer extends Actor {
  readonly changes: readonly Change[];
  readonly rollback: boolean;
  readonly fate: CommitFate;
}

export const targets = ['row 1', 'row 2', 'row 3', 'list a', 'list b', 'list all', 'page'] as const;

export type Target = (typeof targets)[number];

export interface Reader extends Actor {
  readonly targets: readonly Target[];
  /** The client asks for fresh answers (responses only). */
  readonly renew: boolean;
}

export type Fault = Actor &
  (
    | { readonly fault: 'crash' | 'clear' | 'flush' | 'evict' | 'terminate' | 'partition' }
    | { readonly fault: 'restart'; readonly keepingData: boolean }
    | { readonly fault: 'cut'; readonly path: 'data' | 'bus'; readonly commandsToo: boolean }
    | { readonly fault: 'hold'; readonly path: 'data' | 'bus' }
    | { readonly fault: 'invalidate'; readonly tag: string }
    | { readonly fault: 'switch'; readonly to: PolicyName }
  );

export interface Workload {
  readonly nodes: number;
  readonly writers: readonly Writer[];
  readonly readers: readonly Reader[];
  readonly faults: readonly Fault[];
  /** Time passes so much, in ms, at these steps. */
  readonly passing: readonly (Omit<Actor, 'node'> & { readonly ms: number })[];
}

const at = fc.nat(70);
const node = fc.nat(2);
const category = fc.constantFrom('a', 'a', 'b');
const id = fc.constantFrom(1, 1, 1, 2, 3);

const simpleChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('update' as const), id, category, locks: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('update' as const), id, locks: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('insert' as const), id: fc.constantFrom(3, 1), category }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), id, locks: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bulk' as const), category, to: category }) },
);

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 7, arbitrary: simpleChange },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('savepoint' as const),
      changes: fc.array(simpleChange, { minLength: 1, maxLength: 2 }),
      rollback: fc.boolean(),
    }),
  },
);

const writer: fc.Arbitrary<Writer> = fc.record({
  at,
  node,
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(change, { minLength: 2, maxLength: 2 }) },
  ),
  rollback: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  fate: fc.oneof(
    { weight: 9, arbitrary: fc.constant<CommitFate>('answered') },
    { weight: 1, arbitrary: fc.constantFrom<CommitFate>('lost', 'answer lost', 'late') },
  ),
});

const reader: fc.Arbitrary<Reader> = fc.record({
  at,
  node,
  targets: fc.array(fc.constantFrom(...targets, 'row 1', 'row 1', 'row 1', 'list a'), { minLength: 1, maxLength: 3 }),
  renew: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const simpleFaults = ['crash', 'clear', 'flush', 'evict', 'terminate', 'partition'] as const;
const path = fc.constantFrom('data' as const, 'bus' as const);

const held = fc.record({ at, node, fault: fc.constant('hold' as const), path });

const fault: fc.Arbitrary<Fault> = fc.oneof(
  ...simpleFaults.map((name) => fc.record({ at, node, fault: fc.constant(name) })),
  fc.record({ at, node, fault: fc.constant('restart' as const), keepingData: fc.boolean() }),
  fc.record({ at, node, fault: fc.constant('cut' as const), path, commandsToo: fc.boolean() }),
  // The ones with the longest tails, more often.
  held,
  held,
  fc.record({ at, node, fault: fc.constantFrom('clear' as const, 'flush' as const) }),
  fc.record({ at, node, fault: fc.constantFrom('clear' as const, 'flush' as const) }),
  fc.record({
    at,
    node,
    fault: fc.constant('invalidate' as const),
    tag: fc.constantFrom('things:1', 'things', 'things:*'),
  }),
);

const switched: fc.Arbitrary<Fault> = fc.record({
  at,
  node,
  fault: fc.constant('switch' as const),
  to: fc.constantFrom<PolicyName>('strict', 'strict', 'invalidate', 'write-through'),
});

/** At most so many, and one or two switches. */
const faults = (maxLength: number, switches: boolean): fc.Arbitrary<Fault[]> => {
  const others = fc.array(fault, { maxLength });
  if (!switches) return others;
  return fc.tuple(fc.array(switched, { minLength: 1, maxLength: 2 }), others).map((both) => both.flat());
};

const passing = (last: number): fc.Arbitrary<Workload['passing']> =>
  fc.array(fc.record({ at: fc.nat(last), ms: fc.constantFrom(5, 30, 110, 260, 600, 1_100) }), { maxLength: 3 });

/** Everything that may happen, to every row. */
const wide = (switches: boolean): fc.Arbitrary<Workload> =>
  fc.record({
    nodes: fc.constantFrom(2, 2, 3),
    writers: fc.array(writer, { minLength: 2, maxLength: 4 }),
    readers: fc.array(reader, { minLength: 3, maxLength: 6 }),
    faults: faults(2, switches),
    passing: passing(70),
  });

/** All at the same time, and all about the same: races are found in few steps. */
const narrow = (switches: boolean): fc.Arbitrary<Workload> => {
  const early = <T extends Actor>(actor: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.tuple(actor, fc.nat(20), fc.nat(1)).map(([one, at, node]) => ({ ...one, at, node }));
  const update = fc.record({ do: fc.constant('update' as const), id: fc.constant(1), category, locks: fc.boolean() });
  const oneChange = fc.oneof({ weight: 4, arbitrary: update }, { weight: 1, arbitrary: change });
  return fc.constantFrom<Target>('row 1', 'row 1', 'list a', 'page').chain((target) =>
    fc.record({
      nodes: fc.constant(2),
      writers: fc.array(early(fc.tuple(writer, oneChange).map(([one, only]) => ({ ...one, changes: [only] }))), {
        minLength: 1,
        maxLength: 3,
      }),
      readers: fc.array(
        early(fc.tuple(reader, fc.nat(2)).map(([one, more]) => ({ ...one, targets: Array(1 + more).fill(target) }))),
        { minLength: 2, maxLength: 4 },
      ),
      faults: faults(1, switches).chain((all) => fc.tuple(...all.map((one) => early(fc.constant(one))))),
      passing: passing(20),
    }),
  );
};

/** @param switches policies may be switched meanwhile */
export function workload({ switches = false } = {}): fc.Arbitrary<Workload> {
  return fc.oneof({ weight: 2, arbitrary: narrow(switches) }, { weight: 1, arbitrary: wide(switches) });
}
