import { unexpected } from './report.js';
import { allTests, type Results } from './scores.js';
import { runTests } from './suite/test-engine/client/runner.mjs';
import { testResults } from './suite/test-engine/client/test.mjs';
import suites from './suite/tests/index.mjs';

/* The client writes dates into the tests that it runs: each run has tests of its own. */

/** So many tests at a time: they mostly wait. */
const atOnce = 150;
/** And in each round after the first. */
const fewer = [25, 10, 5, 5];

/**
 * Runs the suite against a proxy. Its responses live for one to four seconds, and a busy machine may sleep through that: what
 * fails unexpectedly is run again, a few times, with ever fewer others.
 */
export async function runSuite(url: string): Promise<Results> {
  const results = emptied();
  await runTests(structuredClone(suites), false, url, atOnce);
  for (const few of fewer) {
    const again = unexpected(results).flatMap((id) => whatFailedFor(id, results));
    if (again.length === 0) break;
    const tests = allTests.filter(({ id }) => again.includes(id));
    for (const { id } of tests) delete results[id];
    await runTests([{ tests: structuredClone(tests) }], false, url, few);
  }
  return { ...results };
}

/** The client notes its results in one place, for one proxy after the other. */
function emptied(): Record<string, Results[string]> {
  const results = testResults as Record<string, Results[string]>;
  for (const id of Object.keys(results)) delete results[id];
  return results;
}

/** The tests that do not sleep between their requests, and depend on none that does. */
export async function runWithoutPauses(url: string): Promise<Results> {
  const pauses = (id: string): boolean => {
    const { requests, depends_on: others = [] } = allTests.find((test) => test.id === id)!;
    return requests.some(({ pause_after: pause }) => pause === true) || others.some((other) => pauses(other));
  };
  const results = emptied();
  const tests = allTests.filter((test) => !pauses(test.id));
  await runTests([{ tests: structuredClone(tests) }], false, url, fewer[0]);
  return { ...results };
}

/** A test and those that it depends on, as far as they failed themselves. */
function whatFailedFor(id: string, results: Results): string[] {
  const { depends_on: others = [] } = allTests.find((test) => test.id === id)!;
  const failed = results[id] === true ? [] : [id];
  return [...failed, ...others.flatMap((other) => whatFailedFor(other, results))];
}
