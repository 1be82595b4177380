// @ts-check

const decisions = 'src/cache/core/decisions.ts';
const by = ['strict', 'acknowledged', 'write-through', 'scripts'];

/** The decisions that the scripts, the model and the simulation share. @type {import('../mutants.mjs').Mutant[]} */
export const decisionMutants = [
  {
    name: 'ticket',
    guard: 'FILL needs a live ticket',
    find: "if (!row || ticket === undefined) return 'ticket';\n  if (coarse?.stamp !== ticket) return 'coarse';",
    replace: "if (!row) return 'ticket';\n  if (ticket !== undefined && coarse?.stamp !== ticket) return 'coarse';",
  },
  {
    name: 'ticket-coarse',
    guard: 'FILL: no unknown rows have changed since the ticket was taken',
    find: "if (coarse?.stamp !== ticket) return 'coarse';",
    replace: '',
  },
  {
    name: 'epoch',
    guard: 'FILL: the load is not older than the epoch',
    find: "if (snapshot.xmin < epoch) return 'epoch';",
    replace: '',
  },
  {
    name: 'fence-row',
    guard: 'FILL: the load has seen every recent writer of the row',
    find: 'return provenFor(row, snapshot) && provenFor(coarse, snapshot) ?',
    replace: 'return provenFor(coarse!, snapshot) ?',
  },
  {
    name: 'fence-coarse',
    guard: 'FILL: the load has seen every recent writer of unknown rows',
    find: 'return provenFor(row, snapshot) && provenFor(coarse, snapshot) ?',
    replace: 'return provenFor(row, snapshot) ?',
  },
  {
    name: 'fence-pruned',
    guard: 'FILL: the load is past every writer that was pruned from the fence',
    find: 'return snapshot.xmin > ff && fence.every(',
    replace: 'return fence.every(',
    by: ['scripts'],
  },
  {
    name: 'snapshot-running',
    guard: 'a snapshot does not see what was still running',
    file: 'src/cache/core/snapshot.ts',
    find: ' && !snapshot.running.includes(xid));',
    replace: ');',
  },
  {
    name: 'fill-voids-tickets',
    guard: 'an accepted FILL voids all other tickets',
    find: 'ff, tickets: {}, value: { body, coarse } };',
    replace: 'ff, tickets: row.tickets, value: { body, coarse } };',
  },
  {
    name: 'fill-keeps-fence',
    guard: 'an accepted FILL keeps the fence',
    find: 'return { stamp: row.stamp, pend: [], fence: kept, ff,',
    replace: 'return { stamp: row.stamp, pend: [], fence: kept && [], ff,',
  },
  {
    name: 'fence-remembers',
    guard: 'FENCE remembers its writer',
    find: 'const pruned = prune(including(tag?.fence ?? [], xid), xmin, tag?.ff ?? 0);',
    replace: 'const pruned = prune(tag?.fence ?? [], xmin, tag?.ff ?? 0);',
  },
  {
    name: 'fence-pends',
    guard: 'FENCE leaves its writer pending',
    find: 'const pend = including(tag?.pend ?? [], xid).filter((id) => id > ff || id === xid);',
    replace: 'const pend = tag?.pend ?? [];',
  },
  {
    name: 'fence-stamp',
    guard: 'FENCE takes a new stamp',
    find: '(id) => id > ff || id === xid);\n  return { stamp, pend',
    replace: '(id) => id > ff || id === xid);\n  return { stamp: tag?.stamp ?? stamp, pend',
  },
  {
    name: 'hit-coarse',
    guard: 'GET: the value was filled under the coarse stamp of now',
    find: ' && row.value.coarse === coarse.stamp\n',
    replace: '\n',
  },
  {
    name: 'hit-pending',
    guard: 'GET: nothing is pending',
    find: 'row.pend.length === 0 && coarse.pend.length === 0 && row.value.coarse',
    replace: 'row.value.coarse',
    depth: 'FENCE removes the value of a row, and changes the coarse stamp',
  },
  {
    name: 'release-stamp',
    guard: "RELEASE: the row's stamp is still the writer's",
    find: 'const unchanged = row?.stamp === expected.stamp && ',
    replace: 'const unchanged = row !== undefined && ',
  },
  {
    name: 'release-coarse',
    guard: 'RELEASE: the coarse stamp is still what it was',
    find: ' && coarse?.stamp === expected.coarse && coarse.pend.length === 0;',
    replace: ' && coarse?.pend.length === 0;',
  },
  {
    name: 'release-coarse-pending',
    guard: 'RELEASE: no writer of unknown rows is pending',
    find: ' && coarse.pend.length === 0;\n  return unchanged',
    replace: ';\n  return unchanged',
  },
  {
    name: 'release-absent',
    guard: 'RELEASE: no reader has filled the row meanwhile',
    find: 'return unchanged && (fenceFirst || row.value === undefined);',
    replace: 'return unchanged;',
  },
  {
    name: 'settle-pending',
    guard: "a derived fill clears a tag's writers only if its load has seen each",
    find: 'return snapshot && tag.pend.every((xid) => sees(snapshot, xid)) ?',
    replace: 'return snapshot ?',
  },
  {
    name: 'holds-pending',
    guard: 'a derived entry is no hit while a writer of its tags is pending',
    find: 'return tag?.stamp === stamp && tag.pend.length === 0;',
    replace: 'return tag?.stamp === stamp;',
  },
  {
    name: 'invalidate-keeps-fence',
    guard: 'an operator cannot take back a fence',
    find: 'const { pend, fence, ff } = tag ?? freshTag(stamp);',
    replace: 'const { pend, fence, ff } = freshTag(stamp);',
  },
].map((mutant) => ({ file: decisions, by, ...mutant }));
