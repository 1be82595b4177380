// @ts-check
/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */
/** @typedef {{ atMs: number, node: number, count: number }} Sample how many loads from the database a node has counted */

const everyMs = 500;
const timeoutMs = 2_000;

/** Asks every node's metrics, twice a second, how often it has gone to the database. */
export class LoadSamples {
  /** @type {Sample[]} */
  samples = [];
  #timer;
  /** @type {Set<Promise<void>>} */
  #asking = new Set();

  /** @param {readonly NodeProcess[]} nodes @param {import('../../verify/workload/client.mjs').Client} client */
  constructor(nodes, client) {
    this.#timer = setInterval(() => {
      for (const { url, index } of nodes) {
        if (!url) continue;
        const asking = this.#ask(url, index, client).finally(() => this.#asking.delete(asking));
        this.#asking.add(asking);
      }
    }, everyMs);
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.all(this.#asking);
  }

  /** @param {URL} url @param {number} node @param {import('../../verify/workload/client.mjs').Client} client */
  async #ask(url, node, client) {
    const { status, text, completedMs } = await client.send(url, '/metrics', { timeoutMs });
    const count = /^cache_load_seconds_count (\d+)$/m.exec(text)?.[1];
    if (status === 200 && count !== undefined) this.samples.push({ atMs: completedMs, node, count: Number(count) });
  }
}
