import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Makes something for everybody who asks, at most once in a while: who asks while there is none to be had gets the next one.
 * So a flood of questions costs no more than a few, and no answer is older than its question.
 * @param spaceMs between the end of one making and the begin of the next
 */
export function spaced<T>(make: () => Promise<T>, spaceMs: number): () => Promise<T> {
  let free: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () =>
    (next ??= free.then(() => {
      next = undefined;
      const made = make();
      const rest = (): Promise<void> => sleep(spaceMs, undefined, { ref: false });
      free = made.then(rest, rest);
      return made;
    }));
}
