// @ts-check

/** @typedef {import('../configurations.mjs').Configuration} Configuration */
/** @typedef {import('./state.mjs').L1Config} L1Config */

/**
 * @param {string} fault @param {Omit<L1Config, 'kind'>} config @param {{ readonly short?: boolean, readonly variant?: string, readonly only?: L1Config['kind'] }} [more]
 * @returns {readonly Configuration[]} the weaker policies: as old as the lease, no older
 */
const bounded = (fault, config, { short = false, variant = '', only } = {}) =>
  /** @type {const} */ (['invalidate', 'write-through'])
    .filter((kind) => only === undefined || kind === only)
    .map((kind) => ({
      name: `${kind}: L1${fault && `, ${fault}`}${variant && ` (${variant})`}`,
      policy: kind,
      fault,
      of: 'L1',
      checks: 'SP',
      breaks: '',
      short,
      promised: true,
      shape: { l1: { ...config, kind } },
    }));

/**
 * @param {string} fault @param {Omit<L1Config, 'kind'>} config @param {{ readonly short?: boolean, readonly variant?: string }} [more]
 * @returns {Configuration} strict with acknowledged L1: linearizable
 */
const acknowledged = (fault, config, { short = false, variant = '' } = {}) => ({
  name: `acknowledged: L1${fault && `, ${fault}`}${variant && ` (${variant})`}`,
  policy: 'strict, L1 acknowledged',
  fault,
  of: 'L1',
  checks: 'RASP',
  breaks: '',
  short,
  promised: true,
  shape: { l1: { ...config, kind: 'strict', acknowledged: true } },
});

/** @type {Omit<L1Config, 'kind'>} */
const plainly = { writers: 1, reads: 2, heartbeats: 1, lease: 2, until: 4 };
/** @type {Omit<L1Config, 'kind'>} */
const waited = { writers: 1, reads: 2, heartbeats: 1, lease: 1, until: 2 };

/** @type {readonly Configuration[]} */
export const l1Cases = [
  ...bounded('', plainly, { short: true }),
  ...bounded('lost invalidation connection', { ...plainly, until: 2, faults: { loss: 1 } }),
  ...bounded('a machine that sleeps', { ...plainly, faults: { sleep: 1 } }, { only: 'write-through' }),
  ...bounded('a wall clock that is set', { ...plainly, until: 3, faults: { clock: 1 } }, { only: 'invalidate' }),
  ...bounded(
    'an operator clears everything',
    { ...plainly, until: 3, reads: 1, faults: { clear: 1 } },
    { only: 'invalidate' },
  ),
  acknowledged('', { ...waited, plain: 1 }),
  acknowledged('an operator clears everything', { ...waited, reads: 1, faults: { clear: 1 } }),
  acknowledged('', { ...waited, writers: 2, until: 1 }, { variant: 'two writers' }),
  acknowledged('lost invalidation connection', { ...waited, faults: { loss: 1 } }),
  acknowledged('crash of a writer', { ...waited, faults: { crash: 1 } }),
  acknowledged('a machine that sleeps', { ...waited, lease: 2, until: 3, faults: { sleep: 1 } }),
  acknowledged('a wall clock that is set', { ...waited, until: 1, faults: { clock: 1 } }),
];
