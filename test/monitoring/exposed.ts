import { type Selector } from './promql.js';

/** What `GET /metrics` tells: each name that Prometheus would store, with its labels and their values. */
export type Exposed = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

const suffixes = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] } as const;

export function exposedBy(text: string): Exposed {
  const exposed = new Map<string, Map<string, Set<string>>>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    for (const suffix of suffixes[type as keyof typeof suffixes] ?? ['']) exposed.set(name! + suffix, new Map());
  for (const [, name, labels] of text.matchAll(/^([a-z_]\w*)\{(.+)\} \S+$/gm))
    for (const [, label, value] of labels!.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      const values = exposed.get(name!)!;
      values.set(label!, (values.get(label!) ?? new Set()).add(value!));
    }
  return exposed;
}

/** Labels with values that all exist before anything has happened: one that does not is a mistake. */
const closed = new Set(['part', 'layer', 'level', 'result', 'source', 'state']);
/** Prometheus's own. */
const ofPrometheus = new Set(['up', 'ALERTS']);
const ofScrape = new Set(['job', 'instance']);

/** What a selector asks for that nothing exposes. */
export function unknownTo(exposed: Exposed, { metric, matchers }: Selector): string[] {
  if (ofPrometheus.has(metric)) return [];
  const labels = exposed.get(metric);
  if (!labels) return [metric];
  return matchers.flatMap(({ label, operator, value }) => {
    if (ofScrape.has(label)) return [];
    const values = labels.get(label);
    if (!values) return [`${metric}{${label}}`];
    if (!closed.has(label)) return [];
    const matches = (each: string) =>
      operator.includes('~') ? new RegExp(`^(?:${value})$`).test(each) : each === value;
    return [...values].some(matches) ? [] : [`${metric}{${label}="${value}"}`];
  });
}
