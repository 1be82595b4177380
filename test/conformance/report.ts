import { table } from '../../scripts/docs/parts.mjs';
import { explained, leftUndone } from './explained.js';
import { failed, outcomeOf, type Results, type Score, score, type SuiteTest } from './scores.js';

/** What `npm run conformance` measured: `docs/conformance.json`. */
export interface Report {
  readonly suite: string;
  /** The api layer in front of a handler. */
  readonly required: Score;
  readonly optimal: Score;
  readonly failed: Failed;
  /** The whole service, with a route that has a key. */
  readonly service: { readonly required: Score; readonly optimal: Score; readonly failed: Failed };
  readonly others: Readonly<Record<string, { readonly required: Score; readonly optimal: Score }>>;
}

interface Failed {
  readonly required: readonly string[];
  readonly optimal: readonly string[];
}

export const suiteVersion = 'https://github.com/http-tests/cache-tests/tree/b55b8bda3dbb8c927c04e85bd8d496a8caa3e4ba';

export function reportOf(results: Results, service: Results, published: Readonly<Record<string, Results>>): Report {
  const scores = (of: Results) => ({ required: score('required', of), optimal: score('optimal', of) });
  const failedOf = (of: Results) => ({
    required: idsOf(failed('required', of)),
    optimal: idsOf(failed('optimal', of)),
  });
  const others = Object.entries(published).map(([name, of]) => [name, scores(of)] as const);
  others.sort(([, a], [, b]) => b.required.passed - a.required.passed);
  return {
    suite: suiteVersion,
    ...scores(results),
    failed: failedOf(results),
    service: { ...scores(service), failed: failedOf(service) },
    others: Object.fromEntries(others),
  };
}

/** What is in front of the suite's origin server. */
export type Front = 'handler' | 'service';

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
export function documentOf({ suite, required, optimal, failed: not, service, others }: Report): string {
  const row = (name: string, a: Score, b: Score) => [name, `${a.passed} of ${a.of}`, `${b.passed} of ${b.of}`];
  const rows = Object.entries(others).map(([name, of]) => row(name, of.required, of.optimal));
  const paragraphs = [
    '# The api layer under the public HTTP cache tests',
    'Made by `npm run conformance` from `docs/conformance.json`; do not edit.',
    `The first row is a Nest application whose only handler, decorated with \`@CacheResponse()\`, asks another server, in front of the origin server of [the suite](${suite}). ` +
      'These are tests passed on that suite’s version, counted as its site does: a test whose dependencies did not pass has not passed. ' +
      'Three required tests are for browsers and cannot be run by a proxy. The figures of the others are from the results that the suite has published.',
    table(
      ['Cache', 'Required', 'Optimal'],
      [
        row('**Strata**', required, optimal),
        row('**Strata**, the whole service', service.required, service.optimal),
        ...rows,
      ],
    ),
    '## The whole service, and a route of yours',
    aboutService,
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

const aboutService = `The second row is the service as it is: everything that stands before a handler, the fast lane on, and one more route, which has a \`key\`. From a route of yours this one differs in four points:

- Its \`key\` is the whole path and query. Yours names what makes a difference, and nothing for a request that will be refused.
- It obeys \`CDN-Cache-Control\` and serves ranges, for which a route has to ask (\`cdn\`, \`ranges\`).
- It takes bodies that are not JSON: middleware of its own reads them, where the service answers 415.
- Its answers are bytes and header fields of another server, and every request of the suite has a \`Cache-Control\` of its own: for both reasons the fast lane leaves them to Nest. What it takes over is compared with Nest, byte for byte, by \`npm run fuzz\`.

Both pass the same tests.`;

function undoneRows(ids: readonly string[]): string[][] {
  const reasonOf = (id: string) => leftUndone[id] ?? unknown;
  const reasons = [...new Set(ids.map(reasonOf))];
  return reasons.map((reason) => {
    const named = ids.filter((id) => reasonOf(id) === reason).map((id) => `\`${id}\``);
    return [named.join(', '), reason];
  });
}
