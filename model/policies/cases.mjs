// @ts-check

/** @typedef {import('./state.mjs').PolicyConfig} PolicyConfig */

/** @param {string} fault @param {PolicyConfig} policies @param {boolean} [short] @returns {import('../configurations.mjs').Configuration} */
const strict = (fault, policies, short = false) => ({
  name: `strict: policy, ${fault}`,
  policy: 'strict',
  fault,
  of: 'row',
  checks: 'RA',
  breaks: '',
  short,
  promised: true,
  shape: { policies },
});

const toStrict = { from: /** @type {const} */ ('ttl'), switches: [/** @type {const} */ ('strict')] };
const one = { writers: [{ alone: true }], readers: [1], until: 1 };

/** @type {readonly import('../configurations.mjs').Configuration[]} */
export const policyCases = [
  strict('a switch to strict', { ...toStrict, ...one, readers: [2] }),
  strict('a switch to strict, a node without Redis', { ...toStrict, ...one, readers: [2], until: 2, off: true }, true),
  strict('a switch from strict', { ...one, from: 'strict', switches: ['ttl'] }),
  strict('two switches of policy at once', {
    ...one,
    from: 'ttl',
    switches: ['strict', 'ttl'],
    readers: [2],
    deaf: true,
  }),
  strict(
    'a policy that goes back',
    { ...one, from: 'strict', switches: [], readers: [2], until: 2, backs: true },
    true,
  ),
];
