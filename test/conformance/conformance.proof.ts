import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { explained } from './explained.js';
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
  report = reportOf(
    results.handler,
    results.service,
    Object.fromEntries(Object.entries(published).map(([name, of]) => [names[name]!, of])),
  );
  if (!process.env['CONFORMANCE_WRITE']) return;
  writeFileSync(recorded, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(document, documentOf(report));
  const line = (name: string, { required, optimal }: Pick<Report, 'required' | 'optimal'>) =>
    `${name.padEnd(24)}${required.passed} of ${required.of} required   ${optimal.passed} of ${optimal.of} optimal`;
  const others = Object.entries(report.others).map(([name, of]) => line(name, of));
  process.stdout.write(
    `\ntests passed on ${report.suite}\n${[line('Strata', report), line('Strata, service', report.service), ...others].join('\n')}\n\n`,
  );
}, 480_000);

describe('the api layer under all public HTTP cache tests', () => {
  it.each<Front>(['handler', 'service'])(
    'passes every required test, but for those that are explained: %s',
    (front) => {
      expect(unexplained(results[front])).toEqual([]);
    },
  );

  it('explains no test that passes', () => {
    expect(Object.keys(explained).sort()).toEqual([...report.failed.required].sort());
    expect(Object.keys(explained).sort()).toEqual([...report.service.failed.required].sort());
  });

  it('passes as many as are recorded, required and optimal', () => {
    const floor = JSON.parse(readFileSync(recorded, 'utf8')) as Report;
    expect(report.required.passed).toBeGreaterThanOrEqual(floor.required.passed);
    expect(report.optimal.passed).toBeGreaterThanOrEqual(floor.optimal.passed);
    expect(report.service.required.passed).toBeGreaterThanOrEqual(floor.service.required.passed);
    expect(report.service.optimal.passed).toBeGreaterThanOrEqual(floor.service.optimal.passed);
  });
});
