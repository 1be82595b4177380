import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition holds. */
export async function until(condition: () => unknown, withinMs = 5000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
