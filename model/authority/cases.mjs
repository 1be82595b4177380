// @ts-check

/** @typedef {import('../configurations.mjs').Configuration} Configuration */
/** @typedef {import('./state.mjs').AuthorityConfig} AuthorityConfig */
/** @typedef {AuthorityConfig['kind']} Kind */
/** @typedef {{ readonly short?: boolean, readonly promised?: boolean, readonly variant?: string }} More */

/**
 * @param {string} fault @param {Readonly<Partial<Record<Kind, string>>>} breaks @param {(kind: Kind) => Omit<AuthorityConfig, 'kind'>} make @param {More} [more]
 * @returns {readonly Configuration[]} one per policy that is named in `breaks`
 */
const cases = (fault, breaks, make, { short = false, promised = true, variant = '' } = {}) =>
  /** @type {Kind[]} */ (Object.keys(breaks)).map((kind) => ({
    name: `${kind}: generation, ${fault}${variant && ` (${variant})`}`,
    policy: kind,
    fault,
    of: 'row',
    checks: kind === 'strict' ? 'RAH' : 'RH',
    breaks: breaks[kind] ?? '',
    short,
    promised,
    shape: { authority: { kind, ...make(kind) } },
  }));

const both = { invalidate: '', strict: '' };
const one = { writers: [], readers: [{ node: 0, reads: 1 }], until: 2 };
/** One node, and a PostgreSQL that goes back. @param {NonNullable<AuthorityConfig['back']>} back @param {AuthorityConfig['faults']} [more] */
const backwards =
  (back, more = {}) =>
  () => ({
    ...one,
    back,
    nodes: /** @type {const} */ ([0]),
    faults: { back: 1, ...more },
  });
/** A node whose Redis has older data, some time. @param {AuthorityConfig['faults']} faults @param {Partial<Omit<AuthorityConfig, 'kind'>>} [more] */
const older =
  (faults = {}, more = {}) =>
  () => ({
    nodes: /** @type {const} */ ([0]),
    writers: [{ node: 0 }],
    readers: [{ node: 0, reads: 2 }],
    until: 3,
    faults,
    ...more,
  });

const histories = /** @type {const} */ ([
  ['restored', 'restored data'],
  ['promoted', 'a standby that lagged'],
  ['crashed', 'a crash under asynchronous commits'],
  ['recovered', 'a crash under asynchronous commits that PostgreSQL recovers from by itself'],
]);

/** @type {readonly Configuration[]} */
export const authorityCases = [
  ...histories.flatMap(([back, how]) =>
    cases('PostgreSQL goes back', both, backwards(back), { short: true, variant: how }),
  ),
  ...cases('PostgreSQL goes back, a node restarts', both, backwards('restored', { node: 1 }), { short: true }),
  ...cases(
    'PostgreSQL goes back',
    { strict: '' },
    () => ({ ...one, back: 'restored', nodes: [0, 0], until: 0, faults: { back: 1 } }),
    { variant: 'two nodes' },
  ),
  ...cases(
    'PostgreSQL goes back',
    { strict: '' },
    () => ({ ...backwards('restored')(), writers: [{ node: 0 }], readers: [{ node: 0, reads: 2 }] }),
    {
      variant: 'a writer',
    },
  ),
  ...cases('nodes on two Redis servers', { strict: '' }, () => ({
    nodes: [0, 1],
    writers: [{ node: 1 }],
    readers: [{ node: 0, reads: 2 }],
    until: 4,
  })),
  ...cases(
    'nodes on two Redis servers',
    { strict: '' },
    () => ({ nodes: [0, 1], writers: [{ node: 0 }], readers: [{ node: 1, reads: 2 }], until: 3 }),
    { variant: 'the writer on the first' },
  ),
  ...cases('an operator clears everything, nodes on two Redis servers', { strict: '' }, () => ({
    nodes: [0, 1],
    writers: [{ node: 0 }],
    readers: [{ node: 1, reads: 2 }],
    until: 3,
    faults: { clear: 1 },
  })),
  ...cases('a node begins with a Redis that has older data', both, older({}, { cold: true }), { short: true }),
  ...cases(
    'a node begins with a Redis that has older data',
    { invalidate: '' },
    older({}, { cold: true, unidentified: true }),
    {
      short: true,
      variant: 'it cannot be identified',
    },
  ),
  ...cases('Redis restarts with older data', both, older({ old: 1 })),
  ...cases('Redis takes over an older copy of its data', both, older({ copied: 1 })),
  ...cases('Redis restarts with older data while PostgreSQL is away', both, older({ old: 1, away: 1 }, { until: 1 })),
  ...cases(
    'a Redis that cannot be identified restarts with older data',
    { invalidate: '' },
    older({ old: 1 }, { unidentified: true, behind: true }),
  ),
  ...cases(
    'a Redis that cannot be identified restarts with older data, and its only node restarts, too',
    { invalidate: 'R' },
    older({ old: 1, node: 1 }, { unidentified: true, behind: true }),
    { promised: false },
  ),
  ...cases(
    'a Redis that cannot be identified restarts with older data',
    { strict: 'AR' },
    older({ old: 1 }, { unidentified: true }),
    {
      promised: false,
    },
  ),
  ...cases(
    'PostgreSQL loses what was committed since it was last asked',
    { strict: 'H' },
    () => ({ ...backwards('restored')(), unnoted: true }),
    { promised: false },
  ),
  ...cases(
    'PostgreSQL recovers by itself from a crash under asynchronous commits, and the only node restarts',
    { strict: 'H' },
    backwards('recovered', { node: 1 }),
    { promised: false },
  ),
];
