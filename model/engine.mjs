// @ts-check

/*
 * An explicit-state model checker: every state that can be reached is visited once, breadth first, so the first trace
 * to a broken property is a shortest one.
 * @see Yu, Manolios, Lamport, "Model checking TLA+ specifications", 1999 (TLC: canonical states, a seen-set, a queue)
 */

/**
 * Offers one step: what it is called (only traces ask), the state after it, and the properties that it breaks, a letter
 * each. Without a state after it, it is an observation, not a step.
 * @template S
 * @typedef {(label: () => string, next: S | undefined, broken?: string) => void} Step
 */

/**
 * @template S
 * @typedef {object} Model
 * @property {S} initial
 * @property {(state: S, step: Step<S>) => void} next offers every step that can be taken; states are never changed
 * @property {(state: S) => string} key equal for states that behave alike: the finer it forgets, the fewer states
 */

/**
 * @typedef {object} Bounds
 * @property {number} [states] how many to expand at most
 * @property {number} [untilMs] `performance.now()` at which to give up
 * @property {(broken: string) => boolean} [enough] whether what is broken so far, sorted, is all that is wanted
 */

/**
 * @typedef {object} Exploration
 * @property {number} states visited
 * @property {number} depth steps of the longest shortest path
 * @property {boolean} exhaustive whether no state is left
 * @property {string} broken letters of the broken properties, sorted
 * @property {Readonly<Record<string, readonly string[]>>} traces per broken property, a shortest one
 */

/**
 * @template S
 * @param {Model<S>} model
 * @param {Bounds} [bounds]
 * @returns {Exploration}
 */
export function explore(model, { states: limit = Infinity, untilMs = Infinity, enough = () => false } = {}) {
  /** @type {Map<string, number>} */
  const seen = new Map([[model.key(model.initial), 0]]);
  /** @type {(S | undefined)[]} */
  const queue = [model.initial];
  const parents = [-1];
  const depths = [0];
  /** @type {Map<string, { at: number, nth: number }>} */
  const found = new Map();
  let at = 0;
  let nth = 0;

  /** @type {Step<S>} */
  const step = (_label, next, broken = '') => {
    nth += 1;
    for (const property of broken) if (!found.has(property)) found.set(property, { at, nth });
    if (next === undefined) return;
    const key = model.key(next);
    if (seen.has(key)) return;
    seen.set(key, queue.length);
    queue.push(next);
    parents.push(at);
    depths.push(/** @type {number} */ (depths[at]) + 1);
  };

  const letters = () => [...found.keys()].sort().join('');
  for (; at < queue.length; at += 1) {
    if (at >= limit || (at % 1024 === 0 && performance.now() > untilMs) || (found.size > 0 && enough(letters()))) break;
    const state = /** @type {S} */ (queue[at]);
    queue[at] = undefined;
    nth = 0;
    model.next(state, step);
  }
  const traces = [...found].map(([property, where]) => [property, retrace(model, seen, parents, where)]);
  return {
    states: at,
    depth: depths.at(-1) ?? 0,
    exhaustive: at === queue.length,
    broken: letters(),
    traces: Object.fromEntries(traces),
  };
}

/**
 * States and labels are not kept: the path is walked once more, from parent to child.
 * @template S
 * @param {Model<S>} model
 * @param {Map<string, number>} seen
 * @param {readonly number[]} parents
 * @param {{ at: number, nth: number }} where the state, and which of its steps broke the property
 */
function retrace(model, seen, parents, { at, nth }) {
  const path = [];
  for (let i = at; i > 0; i = /** @type {number} */ (parents[i])) path.unshift(i);
  /** @type {string[]} */
  const labels = [];
  let state = model.initial;
  for (const target of path) {
    const from = state;
    let found = false;
    model.next(from, (label, next) => {
      if (found || next === undefined || seen.get(model.key(next)) !== target) return;
      found = true;
      labels.push(label());
      state = next;
    });
  }
  let count = 0;
  model.next(state, (label) => {
    count += 1;
    if (count === nth) labels.push(label());
  });
  return labels;
}
