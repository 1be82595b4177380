import './world/seams.js';
import { reader, update, violations, writer } from './scripted.js';

/* What the simulation has found, step by step. */

/**
 * The epoch was taken while the generation before was still in force. A writer that got its id after it fenced there; the
 * new generation knew neither its fence nor, its id being above the epoch, that it must not trust a load that missed it.
 */
it('a generation that begins while another is in force knows of the writers that fenced there', async () => {
  const found = await violations(
    {
      faults: [{ at: 0, node: 0, fault: 'clear' }],
      writers: [writer(0, 1, update)],
      readers: [reader(14), reader(24)],
    },
    [
      ...[/pg n0.*transaction ids/, /pg n1.*UPDATE/, /pg n1.*transaction ids/, /n1 -> fence/, /n1 <- reply to fence/],
      ...[
        /installGeneration/,
        /reply to installGeneration/,
        /n0 -> getRows/,
        /n0 <- reply to getRows/,
        /pg n0.*SELECT 1/,
      ],
      ...[/pg n1.*COMMIT$/, /n0 -> fillRow/],
    ],
  );
  expect(found).toEqual([]);
});

/**
 * `save()` without a lock: the row was gone when the subscriber wanted to lock it, so nothing was noted; it was back when
 * the UPDATE came.
 */
it('a row that was removed, and is inserted again before the UPDATE, is fenced', async () => {
  const found = await violations(
    {
      writers: [
        writer(0, 0, { do: 'update', id: 1, category: 'a', locks: false }),
        writer(2, 1, { do: 'remove', id: 1, locks: true }),
        writer(12, 1, { do: 'insert', id: 1, category: 'a' }),
      ],
    },
    [
      ...[/pg n0.*SELECT 1$/, /pg n0.*SELECT 1$/, /pg n1.*DELETE/, /pg n1.*COMMIT$/, /pg n0.*SELECT 1 FOR UPDATE/],
      ...[/n1 -> fillRow/, /pg n1.*INSERT/, /pg n1.*COMMIT$/, /n1 -> fillRow/, /pg n0.*UPDATE 1/, /pg n0.*COMMIT$/],
    ],
  );
  expect(found).toEqual([]);
});
