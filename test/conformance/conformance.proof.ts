import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { explained, leftUndone } from './explained.js';
import { documentOf, type Front, type Report, reportOf, unexplained } from './report.js';
import { runSuite } from './run-suite.js';
import { type Results } from './scores.js';
import { startProxy } from './start-proxy.js';

const recorded = 'docs/conformance.json';
const document = 'docs/conformance.md';
const folder = 'test/conformance/suite/results';
const published = Object.fromEntries(
  readdirSync(folder).map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))]),
) as Record<string, Results>;
const names: Readonly<Record<string, string>> = {
  apache: 'Apache httpd',
  nginx: 'nginx',
  squid: 'Squid',
  trafficserver: 'Apache Traffic Server',
  varnish: 'Varnish',
};

let results: Readonly<Record<Front, Results>>;
let report: Report;

async function resultsOf(front: Front): Promise<Results> {
  const proxy = await startProxy(front);
  return runSuite(proxy.url).finally(() => proxy.close());
}

beforeAll(async () => {
  results = { handler: await resultsOf('handler'), service: await resultsOf('service') };
  const others = Object.fromEntries(Object.entries(published).map(([name, of]) => [names[name]!, of]));
  report = reportOf(results.handler, results.service, others);
  if (!process.env['CONFORMANCE_WRITE']) return;
  writeFileSync(recorded, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(document, documentOf(report));
  const line = (name: string, { required, optimal }: Pick<Report, 'required' | 'optimal'>) =>
    `${name.padEnd(24)}${required.passed} of ${required.of} required   ${optimal.passed} of ${optimal.of} optimal`;
  const own = [line('Strata', report), line('Strata, whole service', report.service)];
  const lines = [...own, ...Object.entries(report.others).map(([name, of]) => line(name, of))];
  process.stdout.write(`\ntests passed on ${report.suite}\n${lines.join('\n')}\n\n`);
}, 480_000);

describe.each<[name: string, front: Front]>([
  ['the api layer', 'handler'],
  ['the whole service', 'service'],
])('%s under all public HTTP cache tests', (_name, front) => {
  it('passes every test, but for those that are explained', () => {
    expect(unexplained(results[front])).toEqual([]);
  });

  it('passes none of those that are explained', () => {
    const { failed } = front === 'handler' ? report : report.service;
    expect([...failed.required].sort()).toEqual(Object.keys(explained).sort());
    expect([...failed.optimal].sort()).toEqual(Object.keys(leftUndone).sort());
  });
});
