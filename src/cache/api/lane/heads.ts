import { type ServerResponse } from 'node:http';

/**
 * The head of an answer as one text, as Node keeps it until it is sent. Whoever sets it has said all that `writeHead` would
 * say; Node checks nothing again. It goes out as it is, byte for character: what follows the head may be in it already.
 */
interface Raw extends ServerResponse {
  _header: string | null;
}

/** What Node says behind the fields of an answer that has a date and a length, to a client that keeps its connection. */
const keptConnection = /^Connection: keep-alive\r\n(?:Keep-Alive: timeout=\d+\r\n)?\r\n$/;

/**
 * Heads of answers of one server, each of them a text: status line and fields, every one with its line end. The first one is
 * Node's to make, field by field; what it says of itself behind them is repeated from then on. Where it says anything else
 * than is known of it, every head is Node's to make.
 */
export class Heads {
  #ending: string | undefined;

  /**
   * What has to stand behind the fields to this client, empty line included; undefined: the head is Node's to make. (To a
   * client without chunks, that is of HTTP/1.0, it says something else where there is no length.)
   */
  endingFor(res: ServerResponse): string | undefined {
    return res.shouldKeepAlive && res.useChunkedEncodingByDefault ? this.#ending : undefined;
  }

  /** @param text with its ending; the body may follow it, a character for each byte */
  set(res: ServerResponse, status: number, text: string): void {
    res.statusCode = status;
    (res as Raw)._header = text;
  }

  /** @param text without an ending */
  make(res: ServerResponse, status: number, text: string): void {
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
