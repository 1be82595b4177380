/** Looks often enough that one long pause of the machine cannot use up all the time. */
const leastLooks = 20;

/** Polls until a condition holds. @throws when it does not within the time */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (let looks = 1; !(await condition()); looks += 1) {
    if (performance.now() > deadline && looks >= leastLooks)
      throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
