// @ts-check
/** @typedef {import('../verify/node-process.mjs').NodeProcess} NodeProcess */

/** Nodes that ended by themselves. */
export class Crashes {
  count = 0;
  #say;

  /** @param {{ say: (line: string) => void }} stage */
  constructor({ say }) {
    this.#say = say;
  }

  /** @param {NodeProcess} node @param {string} log */
  note = (node, log) => {
    this.count += 1;
    this.#say(`NODE ${node.index} HAS ENDED BY ITSELF:\n${log}`);
  };

  /** @returns {import('./scenarios.mjs').Requirement} */
  none() {
    return { claim: 'no node ends by itself', met: this.count === 0, seen: String(this.count) };
  }
}
