import { determineTestResult, resultTypes } from './suite/test-engine/lib/results.mjs';
import suites from './suite/tests/index.mjs';

export type Kind = 'required' | 'optimal' | 'check';

export interface SuiteTest {
  readonly id: string;
  readonly name: string;
  readonly kind?: Kind;
  readonly browser_only?: boolean;
  readonly depends_on?: readonly string[];
  readonly requests: readonly { readonly pause_after?: boolean; readonly response_pause?: number }[];
}

/** What the suite's client noted: true, or what went wrong. */
export type Results = Readonly<Record<string, true | readonly [kind: string, message: string]>>;

export interface Score {
  readonly passed: number;
  readonly of: number;
}

export const allTests = suites.flatMap(({ tests }) => tests as readonly SuiteTest[]);
const kindOf = ({ kind = 'required' }: SuiteTest): Kind => kind;

/** As the suite's site counts: a test whose dependencies did not pass has not passed either. */
export function outcomeOf(id: string, results: Results): string {
  const found = determineTestResult(suites, id, results);
  return Object.entries(resultTypes).find(([, type]) => type === found)?.[0] ?? 'unknown';
}

export function score(kind: Kind, results: Results): Score {
  const tests = allTests.filter((test) => kindOf(test) === kind);
  const passed = tests.filter(({ id }) => ['pass', 'yes'].includes(outcomeOf(id, results)));
  return { passed: passed.length, of: tests.length };
}

/** Tests of a kind that a proxy can run and that did not pass. */
export function failed(kind: Kind, results: Results): readonly SuiteTest[] {
  return allTests.filter(
    (test) => kindOf(test) === kind && !test.browser_only && !['pass', 'yes'].includes(outcomeOf(test.id, results)),
  );
}
