import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { explained, leftUndone } from './explained.js';
import { documentOf, type Report, reportOf, unexplained } from './report.js';
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

let results: Results;
let report: Report;

beforeAll(async () => {
  const proxy = await startProxy();
  try {
    results = await runSuite(proxy.url);
  } finally {
    await proxy.close();
  }
  report = reportOf(results, Object.fromEntries(Object.entries(published).map(([name, of]) => [names[name]!, of])));
  if (!process.env['CONFORMANCE_WRITE']) return;
  writeFileSync(recorded, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(document, documentOf(report));
  const line = (name: string, { required, optimal }: Pick<Report, 'required' | 'optimal'>) =>
    `${name.padEnd(24)}${required.passed} of ${required.of} required   ${optimal.passed} of ${optimal.of} optimal`;
  const others = Object.entries(report.others).map(([name, of]) => line(name, of));
  process.stdout.write(`\ntests passed on ${report.suite}\n${[line('Strata', report), ...others].join('\n')}\n\n`);
}, 240_000);

describe('the api layer under all public HTTP cache tests', () => {
  it('passes every test, but for those that are explained', () => {
    expect(unexplained(results)).toEqual([]);
  });

  it('passes none of those that are explained', () => {
    const { failed } = report;
    expect([...failed.required].sort()).toEqual(Object.keys(explained).sort());
    expect([...failed.optimal].sort()).toEqual(Object.keys(leftUndone).sort());
  });
});
