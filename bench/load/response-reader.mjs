// @ts-check

const headEnd = '\r\n\r\n';
const withoutBody = new Set([204, 304]);

/** Takes HTTP/1.1 responses off a stream, as far as is needed to count them: status and length. */
export class ResponseReader {
  /** The beginning of one that is not complete. @type {Buffer} */
  #rest = Buffer.alloc(0);

  /** @param {{ head?: boolean }} [of] the requests: answers to HEAD have a Content-Length and no body */
  constructor({ head = false } = {}) {
    this.head = head;
  }

  /**
   * @param {Buffer} chunk
   * @returns {Generator<number>} the status of each response that is complete now
   */
  *read(chunk) {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(headEnd, at, 'latin1');
      if (end === -1) break;
      const head = bytes.toString('latin1', at, end);
      const status = Number(head.slice(9, 12));
      const after = end + headEnd.length + (this.head || withoutBody.has(status) ? 0 : lengthOf(head));
      if (after > bytes.length) break;
      at = after;
      yield status;
    }
    this.#rest = bytes.subarray(at);
  }
}

/** @param {string} head */
function lengthOf(head) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${head}`);
  return Number(length);
}
