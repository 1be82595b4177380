import { unexpected } from './report.js';
import { allTests, type Results } from './scores.js';
import { runTests } from './suite/test-engine/client/runner.mjs';
import { testResults } from './suite/test-engine/client/test.mjs';
import suites from './suite/tests/index.mjs';

/** So many tests at a time: they mostly wait. */
const atOnce = 150;
/** And in each round after the first. */
const fewer = [25, 10, 5, 5];

/**
 * Runs the suite against a proxy. Its responses live for one to four seconds, and a busy machine may sleep through that: what
 * fails unexpectedly is run again, a few times, with ever fewer others.
 */
export async function runSuite(url: string): Promise<Results> {
  const results = testResults as Record<string, Results[string]>;
  await runTests(suites, false, url, atOnce);
  for (const few of fewer) {
    const again = unexpected(results).flatMap((id) => whatFailedFor(id, results));
    if (again.length === 0) break;
    const tests = allTests.filter(({ id }) => again.includes(id));
    for (const { id } of tests) delete results[id];
    await runTests([{ tests }], false, url, few);
  }
  return results;
}

/** The tests that do not sleep between their requests, and depend on none that does. */
export async function runWithoutPauses(url: string): Promise<Results> {
  const pauses = (id: string): boolean => {
    const { requests, depends_on: others = [] } = allTests.find((test) => test.id === id)!;
    return requests.some(({ pause_after: pause }) => pause === true) || others.some((other) => pauses(other));
  };
  await runTests([{ tests: allTests.filter((test) => !pauses(test.id)) }], false, url, fewer[0]);
  return testResults as Results;
}

/** A test and those that it depends on, as far as they failed themselves. */
function whatFailedFor(id: string, results: Results): string[] {
  const { depends_on: others = [] } = allTests.find((test) => test.id === id)!;
  const failed = results[id] === true ? [] : [id];
  return [...failed, ...others.flatMap((other) => whatFailedFor(other, results))];
}
