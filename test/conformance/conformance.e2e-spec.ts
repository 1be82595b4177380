import { writeFileSync } from 'node:fs';
import { failed, outcomeOf, type Results, score } from './scores.js';
import { startProxy } from './start-proxy.js';
import { getResults, runTests } from './suite/test-engine/client/runner.mjs';
import suites from './suite/tests/index.mjs';

it('passes', async () => {
  const proxy = await startProxy();
  const only = process.env['CONFORMANCE_TEST'];
  const chosen = only
    ? suites.map((s: any) => ({
        ...s,
        tests: s.tests.filter((t: any) => t.id === only).map((t: any) => ({ ...t, dump: true })),
      }))
    : suites;
  const t0 = Date.now();
  await runTests(chosen, false, proxy.url, 150);
  const results = getResults() as Results;
  await proxy.close();
  console.log(Date.now() - t0, score('required', results), score('optimal', results), score('check', results));
  writeFileSync('/tmp/conf.json', JSON.stringify(results, null, 1));
  for (const kind of ['required', 'optimal', 'check'] as const)
    console.log(
      kind,
      failed(kind, results)
        .map(({ id }) => `${id}: ${outcomeOf(id, results)} ${results[id] === true ? '' : results[id]?.join(' ')}`)
        .join('\n'),
    );
}, 120_000);
