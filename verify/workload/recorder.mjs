// @ts-check
/** @typedef {import('../checker/history.mjs').Read} Read */
/** @typedef {import('../checker/history.mjs').Seen} Seen */
/** @typedef {import('../checker/history.mjs').Write} Write */
/** @typedef {import('../checker/history.mjs').Fault} Fault */
/** @typedef {import('./client.mjs').Answer} Answer */

/** Keeps what happened. */
export class Recorder {
  /** @type {Read[]} */
  reads = [];
  /** @type {Write[]} */
  writes = [];
  /** @type {Fault[]} */
  faults = [];
  answered = 0;
  /** @type {Map<string, string>} one copy of each text, however often it was answered */
  #texts = new Map();

  /** @param {number} node @param {{ key?: number, category?: string }} asked @param {Answer} answer */
  read(node, asked, { status, headers, text, invokedMs, completedMs }) {
    const known = status === 200 || (status === 404 && asked.key !== undefined);
    if (known) this.answered += 1;
    const cacheStatus = this.#text(String(headers['cache-status'] ?? ''));
    const outcome = known ? 'ok' : 'failed';
    const rows = status === 200 ? this.#rows(asked, JSON.parse(text)) : [];
    this.reads.push({ node, ...asked, rows, invokedMs, completedMs, outcome, status, cacheStatus });
  }

  /** @param {Omit<Write, 'invokedMs' | 'completedMs' | 'outcome'>} write @param {Answer} answer @returns {boolean} whether it was acknowledged */
  write(write, { status, text, invokedMs, completedMs }) {
    const outcome = status === 200 ? 'ok' : status >= 400 && status < 500 ? 'failed' : 'unknown';
    const version = outcome === 'ok' ? { version: Number(JSON.parse(text).version) } : {};
    this.writes.push({ ...write, ...version, invokedMs, completedMs, outcome, status });
    return outcome === 'ok';
  }

  /** @param {Fault} fault @returns {Fault} */
  fault(fault) {
    this.faults.push(fault);
    return fault;
  }

  /** @param {{ category?: string }} asked @param {any} body @returns {Seen[]} */
  #rows({ category }, body) {
    const items = category === undefined ? [body] : body.data;
    return items.map((/** @type {{ id: number, version: number, name: string }} */ { id, version, name }) => [
      id,
      version,
      this.#text(name),
    ]);
  }

  /** @param {string} text */
  #text(text) {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }
}
