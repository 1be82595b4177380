import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { type Exposed, exposedBy, unknownTo } from './exposed.js';
import { alerts, queries, records, type Rule, rules, ruleTests, runbook } from './monitoring-files.js';
import { type Selector, selectorsOf } from './promql.js';

/** Of an expression, with those of the recording rules that it reads. */
const selectorsOfAll = (expression: string): Selector[] =>
  selectorsOf(expression).flatMap((selector) => {
    const recorded = records.get(selector.metric);
    return recorded === undefined ? [selector] : selectorsOfAll(recorded);
  });

const healthy = ruleTests.find(({ name }) => name === 'healthy')!;
const expectsOf = ({ alert }: Rule, tests = ruleTests) =>
  tests.flatMap((test) => test.alert_rule_test.filter(({ alertname }) => alertname === alert));
const namesOf = (some: readonly Rule[]) => some.map(({ alert }) => alert);

describe('what Prometheus and Grafana ask for', () => {
  let redis: SharedRedis;
  let app: TestApp;
  let exposed: Exposed;
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url });
    await app.http.get('/items/1').expect(404);
    const { text } = await app.http.get('/metrics').expect(200);
    exposed = exposedBy(text);
  });
  afterAll(async () => {
    await app.close();
  });

  it('is told by the service, or recorded by a rule: in every rule', () => {
    expect(rules.length).toBeGreaterThan(20);
    const unknown = rules
      .flatMap(({ expr }) => selectorsOfAll(expr))
      .flatMap((selector) => unknownTo(exposed, selector));
    expect(unknown).toEqual([]);
  });

  it('is told by the service, or recorded by a rule: in every panel', () => {
    expect(queries.length).toBeGreaterThan(40);
    const unknown = queries.flatMap(selectorsOfAll).flatMap((selector) => unknownTo(exposed, selector));
    expect(unknown).toEqual([]);
  });

  it('would be missed: a metric, a label, a value', () => {
    const unknown = (expression: string) => selectorsOf(expression).flatMap((each) => unknownTo(exposed, each));
    expect(unknown('rate(cache_request_total[5m]) > on (job) max(cache_l1_byte)')).toEqual([
      'cache_request_total',
      'cache_l1_byte',
    ]);
    expect(unknown('cache_requests_total{layers="api"}')).toEqual(['cache_requests_total{layers}']);
    expect(unknown('cache_requests_total{result=~"hits|stales"}')).toEqual([
      'cache_requests_total{result="hits|stales"}',
    ]);
    expect(unknown('cache_load_seconds')).toEqual(['cache_load_seconds']);
    expect(unknown('cache_load_seconds_bucket{le="5"} or cache_requests_total{result!="hit"}')).toEqual([]);
    expect(() => selectorsOf('sum by (rate(up[5m]))')).toThrow('no PromQL');
  });
});

describe('every alert', () => {
  it('says how urgent it is, and what is wrong', () => {
    const silent = alerts.filter(({ annotations }) => !annotations?.['summary']);
    expect(namesOf(silent)).toEqual([]);
    const severities = new Set(alerts.map(({ labels }) => labels?.['severity']));
    expect([...severities].sort()).toEqual(['critical', 'info', 'warning']);
  });

  it('has its entry in the runbook, and there is no other', () => {
    const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings.sort()).toEqual(namesOf(alerts).sort());
    for (const { alert, annotations } of alerts)
      expect(annotations?.['runbook_url']).toBe(`ops/runbook.md#${alert!.toLowerCase()}`);
  });

  it('fires in a test', () => {
    const untested = alerts.filter((rule) => !expectsOf(rule).some(({ exp_alerts = [] }) => exp_alerts.length > 0));
    expect(namesOf(untested)).toEqual([]);
  });

  it('is silent on a healthy day that has everything it looks at', () => {
    const given = new Set(healthy.input_series.map(({ series }) => selectorsOf(series)[0]!.metric));
    for (const rule of alerts) {
      const expected = expectsOf(rule, [healthy]);
      expect([rule.alert, expected.length > 0, expected.flatMap(({ exp_alerts = [] }) => exp_alerts)]).toEqual([
        rule.alert,
        true,
        [],
      ]);
      const missing = selectorsOfAll(rule.expr).filter(({ metric }) => !given.has(metric));
      expect([rule.alert, missing]).toEqual([rule.alert, []]);
    }
  });
});
