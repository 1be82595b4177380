import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Rule {
  readonly expr: string;
  readonly record?: string;
  readonly alert?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
}

interface Dashboard {
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

const folder = 'ops/prometheus';
const yaml = <T>(path: string): T => parse(readFileSync(path, 'utf8')) as T;
const inFolder = (name: string): string[] =>
  readdirSync(`${folder}/${name}`).map((file) => `${folder}/${name}/${file}`);

export const rules: readonly Rule[] = inFolder('rules').flatMap((path) =>
  yaml<{ groups: { rules: Rule[] }[] }>(path).groups.flatMap((group) => group.rules),
);
export const alerts = rules.filter((rule) => rule.alert !== undefined);
export const records = new Map(rules.flatMap((rule) => (rule.record === undefined ? [] : [[rule.record, rule.expr]])));

export const ruleTests: readonly RuleTest[] = inFolder('tests').flatMap(
  (path) => yaml<{ tests: RuleTest[] }>(path).tests,
);

const dashboard = JSON.parse(readFileSync('ops/grafana/dashboards/strata.json', 'utf8')) as Dashboard;
/** With a number where Grafana puts one. */
export const queries: readonly string[] = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
].map((expr) => expr.replaceAll('$__rate_interval', '1m'));

export const runbook = readFileSync('ops/runbook.md', 'utf8');
