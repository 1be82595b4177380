// @ts-check
/**
 * What happens to bytes on their way. While it hangs nothing passes and nothing is lost: it arrives when the path is
 * healed, in order, as TCP would resend it.
 * @typedef {{ hang: boolean, delayMs: () => number }} Behaviour
 */

/** @typedef {{ write(chunk: Buffer): unknown, end(): unknown, destroyed: boolean }} Sink */

/** One direction of one connection. */
export class Pipe {
  /** @type {{ chunk: Buffer | undefined, dueMs: number }[]} `undefined` is the end */
  #queue = [];
  #sink;
  #behaviour;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {Sink} sink @param {() => Behaviour} behaviour asked anew for each chunk */
  constructor(sink, behaviour) {
    this.#sink = sink;
    this.#behaviour = behaviour;
  }

  /** @param {Buffer | undefined} chunk */
  push(chunk) {
    const { hang, delayMs } = this.#behaviour();
    const delay = delayMs();
    if (!hang && delay <= 0 && this.#queue.length === 0) return this.#pass(chunk);
    this.#queue.push({ chunk, dueMs: performance.now() + delay });
    this.pump();
  }

  /** Passes on what is due; call it when the behaviour has changed. */
  pump() {
    clearTimeout(this.#timer);
    while (this.#queue[0] && !this.#behaviour().hang) {
      const waitMs = this.#queue[0].dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        return;
      }
      this.#pass(this.#queue.shift()?.chunk);
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  /** @param {Buffer | undefined} chunk */
  #pass(chunk) {
    if (this.#sink.destroyed) return;
    if (chunk) this.#sink.write(chunk);
    else this.#sink.end();
  }
}
