/** Looks often enough that one long pause of the machine cannot use up all the time. */
const leastLooks = 20;

/** Looks less often the longer it takes: a look may ask a server, and others need the processor. In ms. */
const pauseAfter = (waitedMs: number): number => Math.min(Math.max(5, waitedMs / 20), 100);

/** Polls until a condition holds. @param withinMs a limit for what hangs, and no claim @throws when it does not within it */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 45_000): Promise<void> {
  const startedMs = performance.now();
  const deadline = startedMs + withinMs;
  for (let looks = 1; !(await condition()); looks += 1) {
    if (performance.now() > deadline && looks >= leastLooks)
      throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, pauseAfter(performance.now() - startedMs)));
  }
}

/** Until what is expected is so. @throws what was not as expected in the end */
export async function eventually(expectations: () => Promise<void>): Promise<void> {
  let failure: unknown;
  const hold = async (): Promise<boolean> => {
    failure = await expectations().then(
      () => undefined,
      (error: unknown) => error ?? new Error('failed'),
    );
    return failure === undefined;
  };
  await until(hold).catch((error: unknown) => {
    throw failure ?? error;
  });
}

/** Asks a server that has little time to answer, until it does; for what may be asked twice. */
export async function insist<T>(question: () => Promise<T>): Promise<T> {
  let answer!: T;
  await eventually(async () => void (answer = await question()));
  return answer;
}
