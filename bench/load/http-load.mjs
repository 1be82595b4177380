// @ts-check
import { once } from 'node:events';
import { connect } from 'node:net';
import { SliceRecorder } from '../measure/slice.mjs';
import { ResponseReader } from './response-reader.mjs';

/**
 * @typedef {object} Load
 * @property {URL} url the server
 * @property {() => string} next the text of the next request, HTTP/1.1, complete
 * @property {number} status what every answer must be: a benchmark of errors is none
 * @property {number} [connections] 16
 * @property {number} [pipelining] requests under way on each connection, 1
 */

/**
 * HTTP over plain sockets: a request costs this process so little that it is the server which is measured. Connections
 * are made before the clock starts and closed after it has stopped, so that no slice inherits anything.
 * @param {Load} load
 * @returns {(forMs: number) => Promise<import('../measure/slice.mjs').Slice>}
 */
export function httpLoad({ url, next, status, connections = 16, pipelining = 1 }) {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return async (forMs) => {
    const opening = Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(url.port), noDelay: true });
      await once(socket, 'connect');
      return socket;
    });
    const sockets = await Promise.all(opening);
    const recorder = new SliceRecorder();
    const untilMs = performance.now() + forMs;
    try {
      await Promise.all(sockets.map((socket) => converse(socket, { next, status, pipelining, recorder, untilMs })));
      return recorder.end();
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  };
}

/**
 * @param {import('node:net').Socket} socket
 * @param {{ next: () => string, status: number, pipelining: number, recorder: SliceRecorder, untilMs: number }} talk
 * @returns {Promise<void>} once everything that was asked has been answered
 */
function converse(socket, { next, status, pipelining, recorder, untilMs }) {
  return new Promise((resolve, reject) => {
    /** When each request under way was sent, oldest first. @type {number[]} */
    const sentMs = [];
    const ask = (/** @type {number} */ count) => {
      const nowMs = performance.now();
      let text = '';
      for (let i = 0; i < count; i += 1) {
        text += next();
        sentMs.push(nowMs);
      }
      socket.write(text, 'latin1');
    };
    const reader = new ResponseReader();
    socket.on('data', (/** @type {Buffer} */ chunk) => {
      const nowMs = performance.now();
      let answered = 0;
      try {
        for (const found of reader.read(chunk)) {
          if (found !== status) throw new Error(`answered ${found} where ${status} was expected`);
          recorder.add(nowMs - (sentMs.shift() ?? nowMs));
          answered += 1;
        }
      } catch (error) {
        reject(error);
        return;
      }
      if (answered > 0 && nowMs < untilMs) ask(answered);
      else if (sentMs.length === 0) resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server has closed the connection')));
    ask(pipelining);
  });
}
