// @ts-check
import { explored, spec } from '../catchers.mjs';

const decisions = 'src/cache/core/decisions.ts';
const row = 'strict: row';
const bulk = `${row}, bulk statements`;
const twoWriters = 'strict: list (two writers)';

/** The decisions that the scripts, the model and the simulation share. @type {import('../mutants.mjs').Mutant[]} */
export const decisionMutants = [
  {
    name: 'ticket',
    guard: 'FILL needs a live ticket',
    find: "if (!row || ticket === undefined) return 'ticket';\n  if (coarse?.stamp !== ticket) return 'coarse';",
    replace: "if (!row) return 'ticket';\n  if (ticket !== undefined && coarse?.stamp !== ticket) return 'coarse';",
    by: [explored(`${row}, expiry of a hash`)],
  },
  {
    name: 'ticket-coarse',
    guard: 'FILL: no unknown rows have changed since the ticket was taken',
    find: "if (coarse?.stamp !== ticket) return 'coarse';",
    replace: '',
    by: [explored(`${row}, SQL past the application, then an operator invalidates it all`)],
  },
  {
    name: 'epoch',
    guard: 'FILL: the load has seen every writer from before the generation',
    find: "if (!isPast(beginning, snapshot)) return 'epoch';",
    replace: '',
    by: [explored(`${row}, flush`)],
  },
  {
    name: 'epoch-writers',
    guard: 'FILL: the load has seen each writer that was running when the generation began',
    find: 'return sees(snapshot, epoch) && writers.every((xid) => sees(snapshot, xid));',
    replace: 'return sees(snapshot, epoch);',
    by: [explored(`${row}, flush`)],
  },
  {
    name: 'epoch-seen',
    guard: 'FILL: the load began after the generation',
    find: 'return sees(snapshot, epoch) && writers',
    replace: 'return writers',
    by: [spec('cache/epochs.spec', 'whose snapshot is older than the generation')],
  },
  {
    name: 'fence-row',
    guard: 'FILL: the load has seen every recent writer of the row',
    find: 'return provenFor(row, snapshot) && provenFor(coarse, snapshot) ?',
    replace: 'return provenFor(coarse!, snapshot) ?',
    by: [explored(row)],
  },
  {
    name: 'fence-coarse',
    guard: 'FILL: the load has seen every recent writer of unknown rows',
    find: 'return provenFor(row, snapshot) && provenFor(coarse, snapshot) ?',
    replace: 'return provenFor(row, snapshot) ?',
    by: [explored(bulk)],
  },
  {
    name: 'fence-pruned',
    guard: 'FILL: the load is past every writer that was pruned from the fence',
    find: 'return snapshot.xmin > ff && fence.every(',
    replace: 'return fence.every(',
    by: [explored('strict: list, a fence of 256 ids')],
  },
  {
    name: 'fence-collapsed',
    guard: 'FENCE: a list that collapses is remembered by its highest id',
    find: 'const ff = collapsed ? Math.max(pruned.ff, ...pruned.kept) : pruned.ff;',
    replace: 'const ff = pruned.ff;',
    by: [spec('cache/fence-lists.spec', 'the first of many writers that are all still running')],
  },
  {
    name: 'snapshot-running',
    guard: 'a snapshot does not see what was still running',
    file: 'src/cache/core/snapshot.ts',
    find: ' && !snapshot.running.includes(xid));',
    replace: ');',
    by: [explored(row, 'strict: list', twoWriters)],
  },
  {
    name: 'fill-voids-tickets',
    guard: 'an accepted FILL voids all other tickets',
    find: 'ff, tickets: {}, value: { body, coarse } };',
    replace: 'ff, tickets: row.tickets, value: { body, coarse } };',
    by: [explored(row, `${row}, expiry of a hash`, `${row}, crash of a writer`)],
    depth: 'every later load that could be older is refused by the fence',
  },
  {
    name: 'fill-keeps-fence',
    guard: 'an accepted FILL keeps the fence',
    find: 'return { stamp: row.stamp, pend: [], fence: kept, ff,',
    replace: 'return { stamp: row.stamp, pend: [], fence: kept && [], ff,',
    by: [explored(row, `${row}, an operator invalidates the row`)],
    depth: 'tickets of before it are void, and a load of after it has seen every writer that has committed',
  },
  {
    name: 'fence-remembers',
    guard: 'FENCE remembers its writer',
    find: 'const pruned = prune(including(tag?.fence ?? [], xid), xmin, tag?.ff ?? 0);',
    replace: 'const pruned = prune(tag?.fence ?? [], xmin, tag?.ff ?? 0);',
    by: [explored(row)],
  },
  {
    name: 'fence-pends',
    guard: 'FENCE leaves its writer pending, so that its hash does not expire',
    find: 'const pend = including(tag?.pend ?? [], xid).filter((id) => id > ff || id === xid);',
    replace: 'const pend = tag?.pend ?? [];',
    by: [explored(`${row}, expiry of a hash`)],
  },
  {
    name: 'fence-drops-tickets',
    guard: 'FENCE voids all tickets',
    find: 'return { stamp, pend, fence, ff, tickets: {} };\n}\n\n/** A writer',
    replace: 'return { stamp, pend, fence, ff, tickets: tag?.tickets ?? {} };\n}\n\n/** A writer',
    by: [explored(row, `${row}, expiry of a hash`, bulk)],
    depth: 'the fence itself refuses every load that is older than the writer',
  },
  {
    name: 'fence-drops-value',
    guard: 'FENCE drops the value',
    find: 'return { stamp, pend, fence, ff, tickets: {} };\n}\n\n/** A writer',
    replace:
      'return { stamp, pend, fence, ff, tickets: {}, ...(tag?.value ? { value: tag.value } : {}) };\n}\n\n/** A writer',
    by: [explored(row, `${row}, crash of a writer`)],
    depth: 'what is pending keeps the value from being served until a fill has replaced it',
  },
  {
    name: 'fence-stamp',
    guard: 'FENCE takes a new stamp',
    find: '(id) => id > ff || id === xid);\n  return { stamp, pend',
    replace: '(id) => id > ff || id === xid);\n  return { stamp: tag?.stamp ?? stamp, pend',
    by: [explored('strict: list', row)],
  },
  {
    name: 'hit-coarse',
    guard: 'GET: the value was filled under the coarse stamp of now',
    find: ' && row.value.coarse === coarse.stamp\n',
    replace: '\n',
    by: [explored(bulk, `${bulk}, rollback, crash`)],
  },
  {
    name: 'hit-pending',
    guard: 'GET: nothing is pending',
    find: 'row.pend.length === 0 && coarse.pend.length === 0 && row.value.coarse',
    replace: 'row.value.coarse',
    by: [explored(row, `${row}, crash of a writer`, bulk, `${bulk}, rollback, crash`)],
    depth: 'FENCE removes the value of a row, and changes the coarse stamp; what is stored later has seen every writer',
  },
  {
    name: 'rolled-back-own',
    guard: 'a rollback takes back one writer only',
    find: 'pend: tag.pend.filter((id) => id !== xid)',
    replace: 'pend: tag.pend.filter((id) => id === -xid)',
    by: [explored('strict: list, expiry of a hash (rollback, two writers of one tag)')],
  },
  {
    name: 'settle-pending',
    guard: "a derived fill clears a tag's writers only if its load has seen each",
    find: 'return snapshot && tag.pend.every((xid) => sees(snapshot, xid)) ?',
    replace: 'return snapshot ?',
    by: [
      explored(
        twoWriters,
        'strict: list, expiry of a hash (two writers)',
        'strict: list, expiry of a hash (rollback, two writers of one tag)',
      ),
    ],
    depth: 'a load that may be stored has seen every writer of an unchanged stamp',
  },
  {
    name: 'holds-stamp',
    guard: 'a derived entry has the very stamps that it was made under',
    find: 'return tag?.stamp === stamp && tag.pend.length === 0;',
    replace: 'return tag?.pend.length === 0;',
    by: [explored(twoWriters)],
  },
  {
    name: 'holds-pending',
    guard: 'a derived entry is no hit while a writer of its tags is pending',
    find: 'return tag?.stamp === stamp && tag.pend.length === 0;',
    replace: 'return tag?.stamp === stamp;',
    by: [explored(twoWriters, 'strict: list, crash of a writer (two writers)', 'strict: list, expiry of a hash')],
    depth: 'FENCE takes a new stamp, and what is stored under it has seen every writer',
  },
  {
    name: 'invalidate-keeps-fence',
    guard: 'an operator cannot take back a fence',
    find: 'const { pend, fence, ff } = tag ?? freshTag(stamp);',
    replace: 'const { pend, fence, ff } = freshTag(stamp);',
    by: [explored(`${row}, an operator invalidates the row`)],
  },
].map((mutant) => ({ file: decisions, ...mutant }));
