import { type ServerResponse } from 'node:http';

/**
 * The head of an answer as one text, as Node keeps it until it is sent, in front of the body and with it. Whoever sets it
 * has said all that `writeHead` would say; Node checks nothing again.
 */
interface Raw extends ServerResponse {
  _header: string | null;
}

/** What Node says behind the fields of an answer that has a date and a length, to a client that keeps its connection. */
const keptConnection = /^Connection: keep-alive\r\n(?:Keep-Alive: timeout=\d+\r\n)?\r\n$/;

/**
 * Sends heads of answers of one server, each of them a text: status line and fields, every one with its line end. The first
 * one is Node's to write, field by field; what it says of itself behind them is repeated from then on. Where it says
 * anything else than is known of it, every head is Node's to write.
 */
export class Heads {
  #ending: string | undefined;

  send(res: ServerResponse, status: number, text: string): void {
    if (res.shouldKeepAlive && this.#ending !== undefined) {
      res.statusCode = status;
      (res as Raw)._header = text + this.#ending;
      return;
    }
    res.writeHead(status, fieldsOf(text));
    const sent = (res as Raw)._header;
    if (!sent?.startsWith(text)) return;
    const ending = sent.slice(text.length);
    if (keptConnection.test(ending)) this.#ending = ending;
  }
}

/** Names and values in turn. */
const fieldsOf = (text: string): string[] =>
  text
    .split('\r\n')
    .slice(1, -1)
    .flatMap((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
