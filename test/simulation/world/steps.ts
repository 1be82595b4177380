import type fc from 'fast-check';

/** The part of fast-check's scheduler that drives a world; a recorded order can take its place. */
export type StepScheduler = Pick<fc.Scheduler, 'schedule' | 'waitOne' | 'count'>;

/** What a step is called; printed only where somebody reads it. */
export type Label = string | (() => string);

export const print = (label: Label): string => (typeof label === 'string' ? label : label());

const ready = Promise.resolve();

/**
 * Everything that may happen next, and what happened. A step is one event at one place: a command reaches Redis, a reply
 * reaches a node, a statement is executed, time passes. Between two steps nothing is in motion.
 */
export class Steps {
  /** Which of the possible steps was taken, oldest first: enough to take them again. */
  readonly choices: number[] = [];
  readonly trace: string[] = [];
  taken = 0;
  /** Steps happen as soon as they are possible: before and after the interleaved part. */
  instant = true;
  readonly #possible: number[] = [];
  #lastId = 0;

  constructor(
    private readonly scheduler: StepScheduler,
    private readonly tracing: boolean,
  ) {}

  add(label: Label, run: () => void): void {
    if (this.instant) return run();
    const id = ++this.#lastId;
    this.#possible.push(id);
    const text = this.tracing ? print(label) : '';
    void this.scheduler.schedule(ready, text).then(() => {
      const choice = this.#possible.indexOf(id);
      this.#possible.splice(choice, 1);
      this.choices.push(choice);
      this.note(text);
      run();
    });
  }

  get count(): number {
    return this.#possible.length;
  }

  /** Takes one step, and lets the product run until all of it waits for another one. */
  async next(): Promise<void> {
    this.taken += 1;
    await this.scheduler.waitOne();
    await this.settle();
  }

  async drain(): Promise<void> {
    while (this.count > 0) await this.next();
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  note(text: string): void {
    if (this.tracing && !this.instant) this.trace.push(text);
  }

  /** For what costs something to print. */
  detail(text: () => string): void {
    if (this.tracing && !this.instant) this.trace.push(`    ${text()}`);
  }
}

/** Takes the steps of an earlier run: by their choices, then oldest first. */
export class RecordedSteps implements StepScheduler {
  readonly #waiting: (() => void)[] = [];
  #next = 0;

  constructor(private readonly choices: readonly number[]) {}

  schedule<T>(task: Promise<T>): Promise<T> {
    return new Promise((resolve) => this.#waiting.push(() => resolve(task)));
  }

  async waitOne(): Promise<void> {
    const choice = Math.min(this.choices[this.#next++] ?? 0, this.#waiting.length - 1);
    const [trigger] = this.#waiting.splice(choice, 1);
    trigger?.();
    await ready;
  }

  count(): number {
    return this.#waiting.length;
  }
}

/**
 * Takes steps by name: each pattern waits for a step that it fits; steps that no pattern is left for come in between. A
 * pattern that nothing can fit any more is passed over: what it was written for does not happen now.
 */
export class ScriptedSteps implements StepScheduler {
  readonly #waiting: { readonly label: string; readonly trigger: () => void }[] = [];
  readonly #script: RegExp[];

  constructor(script: readonly RegExp[]) {
    this.#script = [...script];
  }

  schedule<T>(task: Promise<T>, label = ''): Promise<T> {
    return new Promise((resolve) => this.#waiting.push({ label, trigger: () => resolve(task) }));
  }

  async waitOne(): Promise<void> {
    const [step] = this.#waiting.splice(this.#next(), 1);
    step?.trigger();
    await ready;
  }

  #next(): number {
    const [wanted] = this.#script;
    if (!wanted) return 0;
    const fits = this.#waiting.findIndex(({ label }) => wanted.test(label));
    const between = this.#waiting.findIndex(({ label }) => !this.#script.some((pattern) => pattern.test(label)));
    if (fits < 0 && between >= 0) return between;
    this.#script.shift();
    return fits < 0 ? this.#next() : fits;
  }

  count(): number {
    return this.#waiting.length;
  }
}
