// @ts-check

/** @typedef {import('../mutants.mjs').Mutant} Mutant */
/** @typedef {import('../protocol.mjs').Decisions} Decisions */
/** @typedef {import('../../src/cache/core/decisions.js').Beginning} Beginning */
/** @typedef {import('../../src/cache/core/decisions.js').TagState} TagState */

/** @param {Decisions} decisions @param {(row: TagState, coarse: TagState, nonce: string) => { row?: TagState, coarse?: TagState, beginning?: Beginning }} blind @returns {Partial<Decisions>} */
const fillBlindly = (decisions, blind) => ({
  refuseRowFill: (row, coarse, nonce, snapshot, beginning) => {
    if (!row || !coarse) return decisions.refuseRowFill(row, coarse, nonce, snapshot, beginning);
    const seen = { row, coarse, beginning, ...blind(row, coarse, nonce) };
    return decisions.refuseRowFill(seen.row, seen.coarse, nonce, snapshot, seen.beginning);
  },
});

/** @param {TagState} row @param {string} nonce @param {string} stamp */
const withTicket = (row, nonce, stamp) => ({ row: { ...row, tickets: { ...row.tickets, [nonce]: stamp } } });
/** @param {TagState} tag @returns {TagState} */
const unfenced = (tag) => ({ ...tag, fence: [], ff: 0 });

/** @param {TagState} tag nobody is writing any more @returns {TagState} */
export const idle = (tag) => ({ ...tag, pend: [] });

const row = 'strict: row';

/** The decisions about a row. @type {readonly Mutant[]} */
export const rowMutants = [
  {
    guard: 'FILL: a live ticket',
    decisions: (d) =>
      fillBlindly(d, (tag, coarse, nonce) => withTicket(tag, nonce, tag.tickets[nonce] ?? coarse.stamp)),
    where: [`${row}, expiry of a hash`],
  },
  {
    guard: "FILL: the coarse stamp is the ticket's",
    decisions: (d) =>
      fillBlindly(d, (tag, coarse, nonce) =>
        tag.tickets[nonce] === undefined ? {} : withTicket(tag, nonce, coarse.stamp),
      ),
    where: [`${row}, SQL past the application, then an operator invalidates it all`],
  },
  {
    guard: 'FILL: every fenced id of the row is seen',
    decisions: (d) => fillBlindly(d, (tag) => ({ row: unfenced(tag) })),
    where: [row],
  },
  {
    guard: 'FILL: every fenced id of the coarse tag is seen',
    decisions: (d) => fillBlindly(d, (_, coarse) => ({ coarse: unfenced(coarse) })),
    where: [`${row}, bulk statements`],
  },
  {
    guard: 'FILL: the epoch, and the writers before it',
    decisions: (d) => fillBlindly(d, () => ({ beginning: { epoch: 0, writers: [] } })),
    where: [`${row}, flush`],
  },
  {
    guard: 'FENCE voids all tickets',
    decisions: (d) => ({
      fenced: (tag, ...rest) => ({ ...d.fenced(tag, ...rest), tickets: tag?.tickets ?? {} }),
    }),
    where: [row, `${row}, expiry of a hash`, `${row}, bulk statements`],
    depth: 'the fence itself refuses every load that is older than the writer',
  },
  {
    guard: 'an accepted FILL voids all tickets',
    decisions: (d) => ({
      filledRow: (tag, ...rest) => ({ ...d.filledRow(tag, ...rest), tickets: tag.tickets }),
    }),
    where: [row, `${row}, expiry of a hash`, `${row}, crash of a writer`],
    depth: 'under FENCE before COMMIT every later load that could be older is refused by the fence',
  },
  {
    guard: 'an accepted FILL keeps the fence',
    decisions: (d) => ({ filledRow: (tag, ...rest) => ({ ...d.filledRow(tag, ...rest), fence: [], ff: 0 }) }),
    where: [row, `${row}, an operator invalidates the row`],
    depth: 'tickets of before it are void, and a load of after it has seen every writer that has committed',
  },
  {
    guard: 'GET: nothing pending on the row',
    decisions: (d) => ({ rowIsServable: (tag, coarse) => d.rowIsServable(idle(tag), coarse) }),
    where: [row, `${row}, crash of a writer`],
    depth: 'FENCE drops the value, and what is stored later has seen every pending writer',
  },
  {
    guard: 'FENCE drops the value',
    decisions: (d) => ({
      fenced: (tag, ...rest) => ({ ...d.fenced(tag, ...rest), ...(tag?.value ? { value: tag.value } : {}) }),
    }),
    where: [row, `${row}, crash of a writer`],
    depth: 'what is pending keeps the value from being served until a fill has replaced it',
  },
  {
    guard: 'GET: nothing pending on the row, and FENCE drops the value',
    decisions: (d) => ({
      rowIsServable: (tag, coarse) => d.rowIsServable(idle(tag), coarse),
      fenced: (tag, ...rest) => ({ ...d.fenced(tag, ...rest), ...(tag?.value ? { value: tag.value } : {}) }),
    }),
    where: [`${row}, flush (two nodes install)`, row, `${row}, failover and back`],
  },
  {
    guard: 'GET: nothing pending on the coarse tag',
    decisions: (d) => ({ rowIsServable: (tag, coarse) => d.rowIsServable(tag, idle(coarse)) }),
    where: [`${row}, bulk statements`, `${row}, bulk statements, rollback, crash`],
    depth: 'the coarse stamp differs as soon as the coarse tag is fenced',
  },
  {
    guard: 'GET: the coarse stamp',
    decisions: (d) => ({
      rowIsServable: (tag, coarse) =>
        d.rowIsServable(tag.value ? { ...tag, value: { ...tag.value, coarse: coarse.stamp } } : tag, coarse),
    }),
    where: [`${row}, bulk statements`, `${row}, bulk statements, rollback, crash`],
  },
  {
    guard: "an operator's invalidation keeps the fence",
    decisions: (d) => ({ invalidated: (_, stamp) => d.freshTag(stamp) }),
    where: [`${row}, an operator invalidates the row`],
  },
  {
    guard: 'a rollback clears its own id only',
    decisions: () => ({ withoutPending: idle }),
    where: ['strict: list, expiry of a hash (rollback, two writers of one tag)'],
  },
];
