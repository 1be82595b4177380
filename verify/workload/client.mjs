// @ts-check
import { Agent, request } from 'node:http';

/**
 * An answer, or with status 0 none, and why. Times are taken before the request is sent and after the answer is complete.
 * @typedef {{ method?: string, status: number, headers: import('node:http').IncomingHttpHeaders, text: string, invokedMs: number, completedMs: number, error?: string }} Answer
 */

/** HTTP with connections that are kept. */
export class Client {
  #agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  /**
   * @param {URL} base
   * @param {string} path
   * @param {{ method?: string, body?: unknown, headers?: Record<string, string>, timeoutMs: number }} options
   * @returns {Promise<Answer>}
   */
  send(base, path, { method = 'GET', body, headers = {}, timeoutMs }) {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const type =
      sent === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) };
    const { hostname, port } = base;
    const invokedMs = performance.now();
    return new Promise((resolve) => {
      const none = (/** @type {string} */ error) =>
        resolve({ method, status: 0, headers: {}, text: '', invokedMs, completedMs: performance.now(), error });
      const options = { agent: this.#agent, hostname, port, path, method, headers: { ...type, ...headers } };
      const outgoing = request(options, (incoming) => {
        /** @type {Buffer[]} */
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.once('error', (error) => none(codeOf(error)));
        incoming.once('close', () => none('ended early'));
        incoming.once('end', () => {
          clearTimeout(timer);
          const { statusCode: status = 0, headers: answered } = incoming;
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ method, status, headers: answered, text, invokedMs, completedMs: performance.now() });
        });
      });
      const timer = setTimeout(() => outgoing.destroy(), timeoutMs);
      outgoing.once('error', (error) => {
        clearTimeout(timer);
        none(codeOf(error));
      });
      outgoing.end(sent);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

/** @param {NodeJS.ErrnoException} error */
const codeOf = ({ code, message }) => code ?? message;
