// @ts-check
import { idle } from '../row/mutants.mjs';

/** @type {readonly import('../mutants.mjs').Mutant[]} */
export const listMutants = [
  {
    guard: 'FENCE takes a new stamp',
    decisions: (d) => ({
      fenced: (tag, xid, xmin, stamp) => ({ ...d.fenced(tag, xid, xmin, stamp), stamp: tag?.stamp ?? stamp }),
    }),
    where: ['strict: list', 'strict: row'],
  },
  {
    guard: 'list: the stamps are read before the load',
    long: true,
    rules: { stampsBeforeLoad: false },
    where: ['strict: list, flush', 'strict: list, expiry of a hash', 'strict: list, expiry of a hash (two writers)'],
  },
  {
    guard: 'list: a stamp is created once (HSETNX)',
    rules: { stampIsCreatedOnce: false },
    where: ['strict: list', 'strict: list, expiry of a hash'],
  },
  { guard: 'list: every fenced id is seen', rules: { derivedIsProven: false }, where: ['strict: list'] },
  {
    guard: 'list: the epoch',
    long: true,
    rules: { derivedIsPastEpoch: false },
    where: ['strict: list, flush', 'strict: list, flush (two writers)'],
  },
  {
    guard: 'list: the stamps are compared at the store',
    rules: { storeComparesStamps: false },
    where: ['strict: list (two writers)', 'strict: list, flush', 'strict: list, expiry of a hash (two writers)'],
    depth: 'every read compares them again',
  },
  {
    guard: 'list: every stamp is compared at the read',
    rules: { readComparesStamps: false },
    where: ['strict: list (two writers)'],
  },
  {
    guard: 'list: nothing is pending at the read',
    decisions: (d) => ({ holds: (tag, stamp) => d.holds(tag && idle(tag), stamp) }),
    where: [
      'strict: list (two writers)',
      'strict: list, crash of a writer (two writers)',
      'strict: list, expiry of a hash',
    ],
    depth: 'FENCE takes a new stamp, and what is stored under it has seen every writer',
  },
  {
    guard: 'list: writers are cleared only if the load has seen each',
    decisions: (d) => ({ settled: (tag, snapshot) => (snapshot ? idle(tag) : d.settled(tag, snapshot)) }),
    where: [
      'strict: list (two writers)',
      'strict: list, expiry of a hash (two writers)',
      'strict: list, expiry of a hash (rollback, two writers of one tag)',
    ],
    depth: 'a load that may be stored has seen every writer of an unchanged stamp',
  },
  {
    guard: 'response: a part keeps the stamp that came with its value',
    rules: { partKeepsItsStamp: false },
    where: ['strict: list, a response made of a row and a list'],
  },
  {
    guard: 'list: old tags come from the locked row',
    rules: { rowIsLockedFirst: false },
    where: ['strict: list, rows that move between lists'],
  },
  {
    guard: 'FENCE: a collapsed list is remembered as its highest id',
    decisions: (d) => ({
      fenced: (tag, ...rest) => {
        const fenced = d.fenced(tag, ...rest);
        return fenced.fence.length === 1 ? { ...fenced, ff: tag?.ff ?? 0 } : fenced;
      },
    }),
    where: ['strict: list, a fence of 256 ids'],
  },
];
