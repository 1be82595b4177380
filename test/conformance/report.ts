import { table } from '../../scripts/docs/parts.mjs';
import { explained, leftUndone } from './explained.js';
import { failed, outcomeOf, type Results, type Score, score, type SuiteTest } from './scores.js';

/** What `npm run conformance` measured: `docs/conformance.json`. */
export interface Report {
  readonly suite: string;
  readonly required: Score;
  readonly optimal: Score;
  readonly failed: { readonly required: readonly string[]; readonly optimal: readonly string[] };
  readonly others: Readonly<Record<string, { readonly required: Score; readonly optimal: Score }>>;
}

export const suiteVersion = 'https://github.com/http-tests/cache-tests/tree/b55b8bda3dbb8c927c04e85bd8d496a8caa3e4ba';

export function reportOf(results: Results, published: Readonly<Record<string, Results>>): Report {
  const scores = (of: Results) => ({ required: score('required', of), optimal: score('optimal', of) });
  const ids = (kind: 'required' | 'optimal') => idsOf(failed(kind, results));
  const others = Object.entries(published).map(([name, of]) => [name, scores(of)] as const);
  others.sort(([, a], [, b]) => b.required.passed - a.required.passed);
  return {
    suite: suiteVersion,
    ...scores(results),
    failed: { required: ids('required'), optimal: ids('optimal') },
    others: Object.fromEntries(others),
  };
}

/** Tests that failed although nothing says why they do, by id. */
export const unexpected = (results: Results): string[] => [
  ...idsOf(failed('required', results)).filter((id) => !(id in explained)),
  ...idsOf(failed('optimal', results)).filter((id) => !(id in leftUndone)),
];

/** The same, with what the client noted of each. */
export const unexplained = (results: Results): string[] =>
  unexpected(results).map((id) => `${id}: ${outcomeOf(id, results)} ${[results[id]].flat().join(' ')}`);

const idsOf = (tests: readonly SuiteTest[]): string[] => tests.map(({ id }) => id);

/** `docs/conformance.md`, as prettier would have it. */
export function documentOf({ suite, required, optimal, failed: not, others }: Report): string {
  const row = (name: string, a: Score, b: Score) => [name, `${a.passed} of ${a.of}`, `${b.passed} of ${b.of}`];
  const rows = Object.entries(others).map(([name, of]) => row(name, of.required, of.optimal));
  const paragraphs = [
    '# The api layer under the public HTTP cache tests',
    'Made by `npm run conformance` from `docs/conformance.json`; do not edit.',
    `A Nest application whose only handler, decorated with \`@CacheResponse()\`, asks another server, in front of the origin server of [the suite](${suite}). ` +
      'These are tests passed on that suite’s version, counted as its site does: a test whose dependencies did not pass has not passed. ' +
      'Three required tests are for browsers and cannot be run by a proxy. The figures of the others are from the results that the suite has published.',
    table(['Cache', 'Required', 'Optimal'], [row('**Strata**', required, optimal), ...rows]),
    '## Required tests that do not pass',
    table(
      ['Test', 'Why'],
      not.required.map((id) => [`\`${id}\``, explained[id] ?? unknown]),
    ),
    '## Optimal tests that do not pass',
    table(['Tests', 'Why'], undoneRows(not.optimal)),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

const unknown = '**not explained**';

function undoneRows(ids: readonly string[]): string[][] {
  const reasonOf = (id: string) => leftUndone[id] ?? unknown;
  const reasons = [...new Set(ids.map(reasonOf))];
  return reasons.map((reason) => {
    const named = ids.filter((id) => reasonOf(id) === reason).map((id) => `\`${id}\``);
    return [named.join(', '), reason];
  });
}
