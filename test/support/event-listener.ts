import { EventEmitter } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type TestApp } from './start-app.js';

/** One client of a stream of server-sent events, with what it has heard so far. */
export async function hear(app: TestApp, path: string, headers: Record<string, string> = {}) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${app.url}${path}`, { headers, agent: false }, resolve).on('error', reject);
  });
  let text = '';
  let ended = false;
  answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  answer.on('end', () => (ended = true)).on('error', () => undefined);
  return {
    answer,
    text: () => text,
    ended: () => ended,
    events: () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!)),
    leave: () => answer.destroy(),
  };
}

/** A client that takes nothing until it is told to. */
export class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  takes = true;
  readonly req: { readonly socket: { readonly remoteAddress: string } };

  constructor(remoteAddress = '127.0.0.1') {
    super();
    this.req = { socket: { remoteAddress } };
  }

  status(): this {
    return this;
  }
  set(): this {
    return this;
  }
  flushHeaders(): void {}
  end(): void {
    this.emit('close');
  }
  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }
  takeAgain(): void {
    this.takes = true;
    this.emit('drain');
  }
}
