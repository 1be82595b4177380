import { table } from '../../scripts/docs/parts.mjs';
import { explained, leftUndone } from './explained.js';
import { failed, outcomeOf, type Results, type Score, score } from './scores.js';

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
  const ids = (kind: 'required' | 'optimal', of: Results) => failed(kind, of).map(({ id }) => id);
  const failedOf = (of: Results) => ({ required: ids('required', of), optimal: ids('optimal', of) });
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

/** Required tests that failed although nothing explains it. */
export const unexplained = (results: Results): string[] =>
  failed('required', results)
    .filter(({ id }) => !(id in explained))
    .map(({ id }) => `${id}: ${outcomeOf(id, results)} ${[results[id]].flat().join(' ')}`);

/** Tests that failed although nothing says why they do, by id. */
export const unexpected = (results: Results): string[] => {
  const isUndone = (id: string) => leftUndone.some(([start]) => id.startsWith(start));
  const failures = [...failed('required', results), ...failed('optimal', results)];
  return failures.map(({ id }) => id).filter((id) => !(id in explained) && !isUndone(id));
};

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
    serviceDifferences(not, service.failed),
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

const aboutService = `The second row is the service as it is, with everything that stands before a handler in it, the fast lane on, and a route like those that it serves in production. From a route of yours this one differs in four points:

- Its \`key\` is all of the path and the query, as they come. Yours names what makes a difference, and refuses everything else.
- It obeys \`CDN-Cache-Control\` and serves ranges (\`cdn\`, \`ranges\`), which a route has to ask for.
- It takes bodies that are not JSON: middleware reads them before the service would answer 415.
- It answers with bytes and header fields of another server, so the fast lane, which repeats JSON whose handler says nothing else, passes all of it on to Nest. What the lane repeats is compared with Nest byte for byte by \`npm run fuzz\`.`;

/** What the whole service passes and a handler alone does not, and the other way round. */
function serviceDifferences(handler: Failed, service: Failed): string {
  const both = (of: Failed) => [...of.required, ...of.optimal];
  const only = (a: readonly string[], b: readonly string[]) =>
    a.filter((id) => !b.includes(id)).map((id) => `\`${id}\``);
  const lost = only(both(service), both(handler));
  const won = only(both(handler), both(service));
  const said = [
    ...(lost.length > 0 ? [`Not passed by it, and passed by the handler alone: ${lost.join(', ')}.`] : []),
    ...(won.length > 0 ? [`Passed by it, and not by the handler alone: ${won.join(', ')}.`] : []),
  ];
  return said.length > 0 ? said.join(' ') : 'Both pass the same tests.';
}

function undoneRows(ids: readonly string[]): string[][] {
  const reasonOf = (id: string) => leftUndone.find(([start]) => id.startsWith(start))?.[1] ?? unknown;
  const reasons = [...new Set(ids.map(reasonOf))];
  return reasons.map((reason) => {
    const named = ids.filter((id) => reasonOf(id) === reason).map((id) => `\`${id}\``);
    return [named.join(', '), reason];
  });
}
