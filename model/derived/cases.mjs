// @ts-check

/** @typedef {import('../configurations.mjs').Configuration} Configuration */
/** @typedef {import('./state.mjs').DerivedConfig} DerivedConfig */
/** @typedef {DerivedConfig['writers'][number]['kind']} Kind */
/** @typedef {Readonly<Partial<Record<Kind, string>>>} Breaks */
/** @typedef {{ readonly short?: boolean, readonly promised?: boolean, readonly variant?: string }} More */

/**
 * Lists and responses know two kinds of writers: those who fence before COMMIT, and those who do so after it.
 * @param {string} fault @param {Breaks} breaks @param {(kind: Kind) => DerivedConfig} make @param {More} [more]
 * @returns {readonly Configuration[]}
 */
const cases = (fault, breaks, make, { short = false, promised = true, variant = '' } = {}) =>
  Object.entries(breaks).map(([kind, broken]) => ({
    name: `${kind}: list${fault && `, ${fault}`}${variant && ` (${variant})`}`,
    policy: /** @type {Kind} */ (kind),
    fault,
    of: 'list',
    checks: 'RAE',
    breaks: broken,
    short,
    promised,
    shape: { derived: make(/** @type {Kind} */ (kind)) },
  }));

const usual = { invalidate: 'A', strict: '' };
/** @param {number} reads */
const entries = (reads) => ({ what: /** @type {const} */ ('entry'), reads });
const response = { what: /** @type {const} */ ('response'), reads: 1 };

/** One writer of both tags, two readers, three reads. @param {Kind} kind @param {DerivedConfig['faults']} [faults] @returns {DerivedConfig} */
const both = (kind, faults = {}) => ({
  writers: [{ kind, tags: [0, 1] }],
  readers: [entries(1), entries(2)],
  cached: 'cold',
  faults,
});
/** A writer for each tag. @param {DerivedConfig['faults']} [faults] @returns {DerivedConfig} */
const apart = (faults = {}) => ({
  writers: [
    { kind: 'strict', tags: [0] },
    { kind: 'strict', tags: [1] },
  ],
  readers: [entries(1), entries(1)],
  faults,
});

/** @type {readonly Configuration[]} */
export const derivedCases = [
  ...cases('', { ttl: 'AER', ...usual }, (kind) => both(kind), { short: true }),
  ...cases('', { strict: '' }, () => apart(), { variant: 'two writers', short: true }),
  ...cases('rollback', usual, (kind) => both(kind, { rollback: 1 })),
  ...cases('rollback', { strict: '' }, () => apart({ rollback: 1 }), { variant: 'two writers' }),
  ...cases('crash of a writer', { invalidate: 'AE', strict: '' }, (kind) => both(kind, { crash: 1 })),
  ...cases('crash of a writer', { strict: '' }, () => apart({ crash: 1 }), { variant: 'two writers' }),
  ...cases('flush', { strict: '' }, (kind) => both(kind, { flush: 1 })),
  ...cases('flush', { strict: '' }, () => ({ ...apart({ flush: 1 }), readers: [entries(2)] }), {
    variant: 'two writers',
  }),
  ...cases('expiry of a hash', usual, (kind) => both(kind, { expiry: 1 })),
  ...cases('expiry of a hash', { strict: '' }, () => apart({ expiry: 1 }), { variant: 'two writers' }),
  ...cases(
    'expiry of a hash',
    { strict: '' },
    () => ({
      writers: [
        { kind: 'strict', tags: [0] },
        { kind: 'strict', tags: [0] },
      ],
      readers: [entries(2)],
      tags: 1,
      faults: { rollback: 1, expiry: 1 },
    }),
    { variant: 'rollback, two writers of one tag' },
  ),
  ...cases(
    'a response made of a row and a list',
    { strict: '' },
    (kind) => ({ ...both(kind), readers: [response, entries(2)], cached: 'row' }),
    { short: true },
  ),
  ...cases(
    'a response made of a row and a list',
    { strict: '' },
    () => ({ ...apart(), readers: [response, entries(2)], cached: 'row' }),
    { variant: 'two writers' },
  ),
  // One list is looked at: the row is moved into it, and out of it again.
  ...cases('rows that move between lists', { strict: '' }, (kind) => ({
    writers: [
      { kind, moves: 0 },
      { kind, moves: 2 },
    ],
    readers: [entries(1), entries(2)],
    tags: 1,
    location: 1,
    cached: 'nothing',
  })),
  ...cases('a fence of 256 ids', { strict: '' }, (kind) => ({
    writers: [
      { kind, tags: [0] },
      { kind, tags: [0] },
    ],
    readers: [entries(2)],
    tags: 1,
    cached: 'nothing',
    crowded: true,
  })),
  ...cases('eviction of a hash', { strict: 'ER' }, () => ({ ...apart({ eviction: 1 }), readers: [entries(2)] }), {
    promised: false,
  }),
];
