// @ts-check
import { FaultProxy } from '../../test/support/fault-proxy/fault-proxy.mjs';

/** A simple query of PostgreSQL's protocol: type, length, text, zero. */
export const commitQuery = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');

/**
 * A node's way to PostgreSQL. When it is told to, it lets a COMMIT through and loses the answer together with the
 * connection: the transaction has happened, and its writer will never know.
 */
export class CommitCutter {
  /** How likely a COMMIT is cut. */
  probability = 0;
  cuts = 0;
  #proxy;

  /** @param {{ host: string, port: number }} target @param {() => number} chance uniform in [0, 1) */
  constructor(target, chance) {
    this.#proxy = new FaultProxy(target, (chunk, way, connection) => {
      const spared = way === 'down' || this.probability === 0 || !chunk.includes(commitQuery);
      if (spared || chance() >= this.probability) return;
      this.cuts += 1;
      connection.tear('down', 0);
    });
  }

  /** @param {URL} url of the database @param {() => number} chance uniform in [0, 1) @returns {Promise<CommitCutter>} */
  static async to(url, chance) {
    const cutter = new CommitCutter({ host: url.hostname, port: Number(url.port || 5432) }, chance);
    await cutter.#proxy.listen();
    return cutter;
  }

  /** @param {URL} url @returns {string} the same database by way of this */
  through(url) {
    return this.#proxy.through(url);
  }

  close() {
    return this.#proxy.close();
  }
}
