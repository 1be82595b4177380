// @ts-check

/** @typedef {import('../configurations.mjs').Configuration} Configuration */
/** @typedef {import('../configurations.mjs').Policy} Policy */
/** @typedef {import('./state.mjs').RowConfig} RowConfig */
/** @typedef {import('./state.mjs').WriterKind} WriterKind */
/** @typedef {Exclude<WriterKind, 'raw'>} Kind */
/** @typedef {Readonly<Partial<Record<Kind, string>>>} Breaks */
/** @typedef {{ readonly short?: boolean, readonly promised?: boolean, readonly variant?: string }} More */

/** @param {number} count @param {number} [node] */
const reads = (count, node = 0) => ({ reads: count, node });
/** @param {WriterKind} kind @param {number} [node] */
const writes = (kind, node = 0) => ({ kind, node });

/**
 * One configuration per policy that is named in `breaks`.
 * @param {string} fault @param {Breaks} breaks @param {(kind: Kind) => RowConfig} make @param {More} [more]
 * @returns {readonly Configuration[]}
 */
const cases = (fault, breaks, make, { short = false, promised = true, variant = '' } = {}) =>
  Object.entries(breaks).map(([kind, broken]) => ({
    name: `${kind}: row${fault && `, ${fault}`}${variant && ` (${variant})`}`,
    policy: /** @type {Policy} */ (kind),
    fault,
    of: 'row',
    checks: 'RAEP',
    breaks: broken,
    short,
    promised,
    shape: { row: make(/** @type {Kind} */ (kind)) },
  }));

const usual = { invalidate: 'A', 'write-through': 'A', strict: '' };
const neverHealed = { invalidate: 'AE', 'write-through': 'AE', strict: '' };

/** Two writers, two readers, three reads, nothing cached. @param {Kind} kind @param {RowConfig['faults']} [faults] @returns {RowConfig} */
const common = (kind, faults = {}) => ({
  writers: [writes(kind), writes(kind)],
  readers: [reads(1), reads(2)],
  cached: 'nothing',
  faults,
});
/** As much as is affordable of what the weaker policies do: they have no more to lose. @param {Kind} kind @param {RowConfig['faults']} faults @returns {RowConfig} */
const affordable = (kind, faults) => (kind === 'strict' ? common(kind, faults) : single(kind, faults));
/** One writer less. @param {Kind} kind @param {RowConfig['faults']} faults @returns {RowConfig} */
const single = (kind, faults) => ({ ...common(kind, faults), writers: [writes(kind)] });
/** Some loads prove nothing, under strict. @param {RowConfig['faults']} [faults] @returns {RowConfig} */
const unproven = (faults = {}) => ({
  writers: [writes('strict')],
  readers: [reads(2), reads(2)],
  cached: 'nothing',
  unproven: true,
  faults,
});
/** @param {'row' | 'coarse'} operated @returns {RowConfig} */
const operated = (operated) => ({
  writers: [writes('raw')],
  readers: [reads(1), reads(2)],
  cached: 'nothing',
  faults: { operator: 1 },
  operated,
});

/** @type {readonly Configuration[]} */
export const rowCases = [
  ...cases('', { ttl: 'AER', ...usual }, (kind) => common(kind), { short: true }),
  ...cases('rollback', usual, (kind) => common(kind, { rollback: 1 })),
  ...cases('crash of a writer', neverHealed, (kind) => common(kind, { crash: 1 })),
  ...cases('COMMIT without an answer', usual, (kind) => affordable(kind, { unknown: 1 })),
  ...cases('COMMIT without an answer', { strict: '' }, (kind) => single(kind, { unknown: 1, expiry: 1 }), {
    variant: 'expiry',
  }),
  ...cases('flush', usual, (kind) => single(kind, { flush: 1 }), { short: true }),
  ...cases('flush', { strict: '' }, (kind) => ({ ...common(kind, { flush: 1 }), readers: [reads(1), reads(1)] }), {
    variant: 'two writers',
  }),
  ...cases(
    'flush',
    { invalidate: 'A', strict: '' },
    (kind) => ({ ...single(kind, { flush: 1, slowInit: 1 }), nodes: 2, readers: [reads(1), reads(2, 1)] }),
    { variant: 'two nodes install' },
  ),
  ...cases(
    'an operator clears everything',
    usual,
    (kind) => ({
      ...single(kind, { clear: 1 }),
      nodes: 2,
      readers: [reads(1), reads(2, 1)],
      cached: 'value',
    }),
    { short: true },
  ),
  ...cases(
    'an operator clears everything',
    { strict: '' },
    (kind) => ({
      writers: [writes(kind), writes(kind, 1)],
      readers: [reads(2)],
      nodes: 2,
      faults: { clear: 1 },
    }),
    { variant: 'two writers' },
  ),
  ...cases('an operator invalidates the row', { strict: '' }, (kind) => ({
    ...common(kind, { operator: 1 }),
    readers: [reads(1), reads(1)],
  })),
  ...cases('failover and back', { invalidate: 'A', strict: '' }, (kind) => ({
    ...single(kind, { failover: 2 }),
    cached: 'value',
  })),
  ...cases(
    'failover and back',
    { strict: '' },
    (kind) => ({ writers: [writes(kind, 1)], readers: [reads(2)], nodes: 2, faults: { failover: 2 } }),
    { variant: 'two nodes' },
  ),
  ...cases('expiry of a hash', usual, (kind) => affordable(kind, { expiry: 1 })),
  ...cases('commands executed late', usual, (kind) => ({
    ...affordable(kind, { late: 1 }),
    ...(kind === 'strict' ? { readers: [reads(1), reads(1)] } : {}),
  })),
  ...cases('replayed fences', usual, (kind) => affordable(kind, { replay: 1 })),
  ...cases('a writer cut off from Redis', { invalidate: 'R', 'write-through': 'AR', strict: '' }, (kind) => ({
    writers: [writes(kind), writes(kind, 1)],
    readers: [reads(2, 1)],
    nodes: 2,
    faults: { cut: 1 },
  })),
  ...cases('a reader cut off from Redis', usual, (kind) => ({
    writers: [writes(kind, 1)],
    readers: [reads(2), reads(1, 1)],
    nodes: 2,
    cached: 'nothing',
    faults: { cut: 1 },
  })),
  ...cases('a writer cut off that crashes', { invalidate: 'ER', 'write-through': 'ER', strict: '' }, (kind) => ({
    writers: [writes(kind)],
    readers: [reads(2, 1)],
    nodes: 2,
    faults: { cut: 1, crash: 1 },
  })),
  ...cases('bulk statements', usual, (kind) => ({
    ...common(kind, { neighbour: 1 }),
    writers: [writes(kind), { ...writes(kind), bulk: true }],
  })),
  ...cases('bulk statements, rollback, crash', { strict: '' }, (kind) => ({
    writers: [writes(kind), { ...writes(kind), bulk: true }],
    readers: [reads(1), reads(1)],
    faults: { neighbour: 1, rollback: 1, crash: 1 },
  })),
  ...cases('crash of a writer, with a change feed', { invalidate: '', strict: '' }, (kind) => ({
    ...common(kind, { crash: 1 }),
    readers: [reads(1), reads(1)],
    feed: true,
  })),
  ...cases('callers that join a load', { strict: '' }, (kind) => single(kind, { join: 1 }), { short: true }),
  ...cases('callers that join a load', { strict: '' }, (kind) => ({ ...single(kind, { join: 1 }), cached: 'value' }), {
    variant: 'cached',
  }),
  ...cases('loads that prove nothing', { strict: '' }, () => unproven(), { short: true }),
  ...cases('loads that prove nothing', { strict: '' }, () => unproven({ rollback: 1, expiry: 1 }), {
    variant: 'rollback, expiry',
  }),
  ...cases(
    'loads that prove nothing',
    { strict: '' },
    () => ({ ...unproven(), writers: [writes('strict'), writes('strict')], readers: [reads(2)] }),
    { variant: 'two writers' },
  ),
  .../** @type {const} */ (['ttl', 'invalidate', 'write-through']).flatMap((from) =>
    cases(
      'a switch of policy, crash',
      { strict: '' },
      (to) => ({
        writers: [writes(from), writes(to)],
        readers: [reads(1), reads(2)],
        cached: 'nothing',
        switches: true,
        faults: { crash: 1 },
      }),
      { variant: `from ${from}` },
    ),
  ),
  ...cases('eviction of a hash', { strict: 'AER' }, (kind) => single(kind, { eviction: 1 }), { promised: false }),
  ...cases(
    'SQL past the application',
    { strict: 'AE' },
    (kind) => ({
      ...common(kind),
      writers: [writes(kind), writes('raw')],
    }),
    { promised: false },
  ),
  ...cases(
    'SQL past the application, with a change feed',
    { strict: 'A' },
    (kind) => ({
      ...common(kind),
      readers: [reads(1), reads(1)],
      writers: [writes(kind), writes('raw')],
      feed: true,
    }),
    { promised: false },
  ),
  ...cases(
    'SQL past the application, with a change feed, flush',
    { strict: 'A' },
    (kind) => ({
      writers: [writes(kind), writes('raw')],
      readers: [reads(2)],
      cached: 'nothing',
      feed: true,
      faults: { flush: 1 },
    }),
    { promised: false },
  ),
  ...cases('SQL past the application, then an operator invalidates the row', { strict: 'AE' }, () => operated('row'), {
    promised: false,
  }),
  ...cases(
    'SQL past the application, then an operator invalidates it all',
    { strict: 'AE' },
    () => operated('coarse'),
    {
      promised: false,
    },
  ),
];
