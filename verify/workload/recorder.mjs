// @ts-check
/** @typedef {import('../checker/history.mjs').Key} Key */
/** @typedef {import('../checker/history.mjs').Read} Read */
/** @typedef {import('../checker/history.mjs').Refusal} Refusal */
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
  /** @type {Refusal[]} */
  refusals = [];
  /** @type {import('../checker/history.mjs').Loss[]} */
  losses = [];
  answered = 0;
  /** @type {Map<string, string>} one copy of each text, however often it was answered */
  #texts = new Map();
  /** @type {Map<string, Seen[]>} the rows that an answer with this path and tag showed */
  #shown = new Map();
  /** @type {Map<string, string>} the last tag of each path */
  #tags = new Map();

  /**
   * @param {number} node
   * @param {{ path?: string, key?: Key, category?: string, sort?: 'id' | 'name' | '-name' }} asked `path`: tags are noted
   * @param {Answer} answer
   */
  read(node, { path, ...asked }, { method, status, headers, text, invokedMs, completedMs }) {
    const known = status === 200 || status === 304 || (status === 404 && asked.key !== undefined);
    if (known) this.answered += 1;
    const cacheStatus = this.#text(String(headers['cache-status'] ?? ''));
    const outcome = known ? 'ok' : 'failed';
    const tag = path !== undefined && headers.etag !== undefined ? `${path} ${headers.etag}` : undefined;
    /** @type {Read['via']} */
    const via = status === 304 ? '304' : method === 'HEAD' ? 'HEAD' : undefined;
    const shows = status === 200 && via === undefined;
    const rows = shows ? this.#rows(asked, JSON.parse(text)) : [];
    if (shows && tag !== undefined && path !== undefined) {
      this.#shown.set(tag, rows);
      this.#tags.set(path, String(headers.etag));
    }
    const etag = via && status !== 404 && tag !== undefined ? { etag: this.#text(tag) } : {};
    const how = via ? { via } : {};
    this.reads.push({ node, ...asked, ...how, ...etag, rows, invokedMs, completedMs, outcome, status, cacheStatus });
  }

  /** The tag that was last answered for a path. @param {string} path */
  tagOf(path) {
    return this.#tags.get(path);
  }

  /** Reads that were answered without a body get the rows that their tag stands for, as far as anybody was shown them. */
  resolve() {
    for (const read of this.reads) {
      const rows = read.etag === undefined ? undefined : this.#shown.get(read.etag);
      if (!rows) continue;
      read.rows = rows;
      delete read.etag;
    }
  }

  /** @param {Omit<Write, 'invokedMs' | 'completedMs' | 'outcome'>} write @param {Answer} answer @returns {boolean} whether it was acknowledged */
  write(write, answer) {
    const outcome = outcomeOf(answer);
    const { status, text, invokedMs, completedMs } = answer;
    const { version } = outcome === 'ok' ? JSON.parse(text) : {};
    const counted = version === undefined ? {} : { version: Number(version) };
    this.writes.push({ ...write, ...counted, invokedMs, completedMs, outcome, status });
    return outcome === 'ok';
  }

  /** What was taken back, or refused, by whoever wrote it: it may never be seen. @param {Omit<Write, 'invokedMs' | 'completedMs' | 'outcome'>} write @param {Answer} answer */
  undone(write, { status, invokedMs, completedMs }) {
    this.writes.push({ ...write, invokedMs, completedMs, outcome: 'failed', status });
  }

  /** @param {Fault} fault @returns {Fault} */
  fault(fault) {
    this.faults.push(fault);
    return fault;
  }

  /** @param {{ key?: Key, category?: string }} asked @param {any} body @returns {Seen[]} */
  #rows({ key, category }, body) {
    const items = category === undefined ? [body] : key === undefined ? body.data : [body, ...body.data];
    return items.map((/** @type {{ id: number, key?: string, version: number, name: string }} */ row) => [
      row.key ?? row.id,
      row.version,
      this.#text(row.name),
    ]);
  }

  /** @param {string} text */
  #text(text) {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }
}

/** @param {Answer} answer @returns {Write['outcome']} */
const outcomeOf = ({ status }) => (status === 200 ? 'ok' : status >= 400 && status < 500 ? 'failed' : 'unknown');
