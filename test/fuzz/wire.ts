import { connect } from 'node:net';
import { type Conversation } from './requests.arbitrary.js';

/** A limit for what hangs. */
const patienceMs = 120_000;

/** Has a conversation, and returns every byte of the answers until the server has closed the connection. */
export function converse(port: number, { requests, ending, cuts }: Conversation): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const methods = requests.map(({ method }) => method);
    let answers = '';
    let ended = false;
    const timer = setTimeout(() => socket.destroy(new Error(`no end after ${patienceMs} ms: ${answers}`)), patienceMs);
    const fallSilent = () => {
      if (ended || countAnswers(answers, methods) < methods.length) return;
      ended = true;
      socket.end(ending, 'latin1');
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answers += chunk;
      fallSilent();
    });
    socket.once('connect', () => void sendInPieces(requests.map(({ text }) => text).join(''), cuts));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // A server that has said its last word may close while the client still talks.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(answers);
    });

    async function sendInPieces(text: string, shares: readonly number[]): Promise<void> {
      const places = [...new Set([0, ...shares.map((share) => Math.floor(share * text.length)), text.length])];
      places.sort((a, b) => a - b);
      for (let at = 1; at < places.length; at += 1) {
        if (socket.writable) socket.write(text.slice(places[at - 1], places[at]), 'latin1');
        await new Promise((done) => setImmediate(done));
      }
    }
  });
}

/** How many of the answers are complete. Whatever cannot be read counts as none. */
export function countAnswers(text: string, methods: readonly string[]): number {
  let at = 0;
  let count = 0;
  while (count < methods.length) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return count;
    const head = text.slice(at, end);
    const status = Number(head.slice(9, 12));
    at = end + 4;
    if (status < 200) continue;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (methods[count] !== 'HEAD' && status !== 204 && status !== 304) at += length;
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) at = text.indexOf('0\r\n\r\n', at) + 5 || Infinity;
    if (at > text.length) return count;
    count += 1;
    if (/\r\nconnection: *close/i.test(head)) return methods.length;
  }
  return count;
}

/** Without what tells the time, and how an answer came about: the rest is the same, byte for byte. */
export const timeless = (answers: string): string => answers.replaceAll(/\r\n(?:Age|Date|Cache-Status): [^\r\n]*/g, '');

export const tagsIn = (answers: string): string[] =>
  [...answers.matchAll(/\r\nETag: ("[^"\r\n]*")/g)].map(([, tag]) => tag!);

/** Where two texts part, with what stands around it; undefined where they are the same. */
export function difference(one: string, other: string): string | undefined {
  if (one === other) return undefined;
  let at = 0;
  while (one[at] === other[at]) at += 1;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 200), at + 200));
  return `at ${at}:\n  with the lane    ${around(one)}\n  without the lane ${around(other)}`;
}
