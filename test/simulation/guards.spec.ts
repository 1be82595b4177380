import './world/seams.js';
import { reader, update, violations, writer } from './scripted.js';

/* Schedules that one guard alone stands against, and that chance finds too rarely. test/mutation switches the guards off. */

/** The generation changes between the COMMIT and its fence, when a reader has filled the old row into the new one. */
it('a write is answered behind the replay of its fence', async () => {
  const found = await violations(
    {
      faults: [{ at: 0, node: 0, fault: 'clear' }],
      writers: [writer(0, 1, update)],
      readers: [reader(14), reader(26)],
    },
    [
      ...[/pg n0.*transaction ids/, /pg n1.*UPDATE/, /pg n1.*transaction ids/, /installGeneration/],
      ...[/reply to installGeneration/, /n0 -> getRow/, /n0 <- reply to getRow/, /pg n0.*SELECT 1/, /n0 -> fillRow/],
      ...[/n0 <- reply to fillRow/, /pg n1.*COMMIT$/, /n1 -> fence/, /n1 <- reply to fence/, /n0 -> getRow/],
    ],
    { policy: 'invalidate', env: { CACHE_L1: 'off' } },
  );
  expect(found).toEqual([]);
});

const fromLockToAnswer = [
  ...[/pg n1.*FOR UPDATE/, /pg n1.*UPDATE/, /n1 -> fence/, /n1 <- reply to fence/, /pg n1.*COMMIT$/],
  ...[/n1 -> fillRow/, /n1 <- reply to fillRow/],
];

describe('an answer that is on its way when a write is acknowledged', () => {
  it('is not shared with who comes later, of a row', async () => {
    const found = await violations(
      { readers: [reader(0, 0, 'row 1', 'row 1'), reader(14)], writers: [writer(0, 1, update)] },
      [
        ...[/n0 -> getRow/, /n0 <- reply to getRow/, /n0 -> fillRow/, /n0 <- reply to fillRow/, /n0 -> getRow/],
        ...[...fromLockToAnswer, /n0 <- reply to getRow/],
      ],
    );
    expect(found).toEqual([]);
  });

  it('is not shared with who comes later, of a response', async () => {
    const found = await violations(
      { readers: [reader(0, 0, 'page', 'page'), reader(27, 0, 'page')], writers: [writer(0, 1, update)] },
      [/n0 -> verify/, ...fromLockToAnswer, /n0 <- reply to verify/],
    );
    expect(found).toEqual([]);
  });
});

/** Another write comes between the load of the first, after its COMMIT, and its FILL. */
it('write-through stores nothing that another write has replaced since it was loaded', async () => {
  const found = await violations(
    { writers: [writer(0, 0, update), writer(1, 1, update)] },
    [
      ...[
        /n0 -> fence/,
        /n0 <- reply to fence/,
        /pg n0.*COMMIT$/,
        /pg n0.*as written$/,
        /pg n1.*COMMIT$/,
        /n1 -> fence/,
      ],
      ...[/n1 <- reply to fence/, /pg n1.*as written$/, /n1 -> fillRow/, /n1 <- reply to fillRow/, /n0 -> fillRow/],
    ],
    { policy: 'write-through' },
  );
  expect(found).toEqual([]);
});

/** Two writers move the row; the second has read it before the first was done, and has not locked it. */
it('a write fences the lists that the row was really in, not those it was read from', async () => {
  const found = await violations(
    {
      writers: [
        writer(0, 0, { do: 'update', id: 1, category: 'b', locks: true }),
        writer(0, 1, { do: 'update', id: 1, category: 'c', locks: false }),
      ],
      readers: [reader(13, 0, 'list b')],
    },
    [
      ...[/pg n0.*UPDATE/, /pg n1.*SELECT 1$/, /pg n1.*SELECT 1$/, /pg n1.*SELECT 1/, /pg n1.*UPDATE 1 c rev \d+$/],
      ...[/pg n0.*COMMIT$/, /n0 -> storeDerived/, /n0 <- reply to storeDerived/, /goes on/],
    ],
  );
  expect(found).toEqual([]);
});
