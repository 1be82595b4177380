import { unexpected } from './report.js';
import { allTests, type Results, type SuiteTest } from './scores.js';
import { runTests } from './suite/test-engine/client/runner.mjs';
import { testResults } from './suite/test-engine/client/test.mjs';

/** So many tests at a time in the first round of the whole suite: they mostly wait. */
const atOnce = 150;
/** And in each further round. */
const fewer = [25, 10, 5, 5];

/** Runs the whole suite against a proxy. */
export const runSuite = (url: string): Promise<Results> => run(allTests, url, [atOnce, ...fewer]);

/** Runs the tests that sleep nowhere, and depend on none that does. */
export function runWithoutPauses(url: string): Promise<Results> {
  const pauses = (id: string): boolean => {
    const { requests, depends_on: others = [] } = testOf(id);
    const sleeps = requests.some(({ pause_after: after, response_pause: s = 0 }) => after === true || s > 0);
    return sleeps || others.some((other) => pauses(other));
  };
  return run(
    allTests.filter(({ id }) => !pauses(id)),
    url,
    fewer,
  );
}

/**
 * The suite's responses live for one to four seconds, and its client gives a request up after ten; a busy machine may sleep
 * through either. What fails unexpectedly is run again, a few times, with ever fewer others.
 */
async function run(tests: readonly SuiteTest[], url: string, rounds: readonly number[]): Promise<Results> {
  // The client notes results in one object, whatever proxy they are of.
  const results = testResults as Record<string, Results[string]>;
  for (const id of Object.keys(results)) delete results[id];
  const ids = new Set(tests.map(({ id }) => id));
  let left = tests;
  for (const together of rounds) {
    for (const { id } of left) delete results[id];
    // The client writes the dates of a run into its tests: each run has tests of its own.
    await runTests([{ tests: structuredClone(left) }], false, url, together);
    const again = new Set(
      unexpected(results)
        .filter((id) => ids.has(id))
        .flatMap((id) => whatFailedFor(id, results)),
    );
    if (again.size === 0) break;
    left = tests.filter(({ id }) => again.has(id));
  }
  return { ...results };
}

/** A test and those that it depends on, as far as they failed themselves. */
function whatFailedFor(id: string, results: Results): string[] {
  const { depends_on: others = [] } = testOf(id);
  const failed = results[id] === true ? [] : [id];
  return [...failed, ...others.flatMap((other) => whatFailedFor(other, results))];
}

const testOf = (id: string): SuiteTest => allTests.find((test) => test.id === id)!;
