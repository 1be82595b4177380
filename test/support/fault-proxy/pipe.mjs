// @ts-check
/**
 * What happens to bytes on their way in one direction. While it hangs nothing passes and nothing is lost: it arrives when
 * the path is healed, in order, as TCP would resend it. What is dropped never arrives.
 * @typedef {{ kind: 'pass' } | { kind: 'hang' } | { kind: 'drop' } | { kind: 'slow', delayMs: () => number }} Behaviour
 */

/** @typedef {{ write(chunk: Buffer): unknown, end(): unknown, destroyed: boolean }} Sink */

/** One direction of one connection. */
export class Pipe {
  /** @type {{ chunk: Buffer | undefined, dueMs: number }[]} `undefined` is the end */
  #queue = [];
  #sink;
  #behaviour;
  #onTorn;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** How many bytes still pass before the connection is torn. */
  #left = Infinity;
  /** Whether something that was sent here will never arrive. */
  lossy = false;

  /** @param {Sink} sink @param {() => Behaviour} behaviour asked anew for each chunk @param {() => void} onTorn */
  constructor(sink, behaviour, onTorn) {
    this.#sink = sink;
    this.#behaviour = behaviour;
    this.#onTorn = onTorn;
  }

  get hangs() {
    return this.#behaviour().kind === 'hang';
  }

  /** @param {Buffer | undefined} chunk */
  push(chunk) {
    const behaviour = this.#behaviour();
    if (behaviour.kind === 'drop') {
      this.lossy = true;
      return;
    }
    const delayMs = behaviour.kind === 'slow' ? behaviour.delayMs() : 0;
    if (behaviour.kind !== 'hang' && delayMs <= 0 && this.#queue.length === 0) return this.#pass(chunk);
    this.#queue.push({ chunk, dueMs: performance.now() + delayMs });
    this.pump();
  }

  /** Passes on what is due; call it when the behaviour has changed. */
  pump() {
    clearTimeout(this.#timer);
    while (this.#queue[0] && !this.hangs) {
      const waitMs = this.#queue[0].dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        return;
      }
      this.#pass(this.#queue.shift()?.chunk);
    }
  }

  /** The next so many bytes pass, then it is over. @param {number} bytes */
  tearAfter(bytes) {
    this.#left = bytes;
  }

  close() {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  /** @param {Buffer | undefined} chunk */
  #pass(chunk) {
    if (this.#sink.destroyed) return;
    if (!chunk) return void this.#sink.end();
    const passed = chunk.subarray(0, this.#left);
    if (passed.length > 0) this.#sink.write(passed);
    this.#left -= passed.length;
    if (passed.length < chunk.length) this.#onTorn();
  }
}
