// @ts-check
import { shortly } from '../../bench/report/table.mjs';

/*
 * The parts of the documents that are made from the code. In a document each stands between two comments,
 * `<!-- name:begin -->` and `<!-- name:end -->`; everything between them is replaced.
 */

/**
 * @typedef {object} Setting what the schema says of one environment variable
 * @property {string} name
 * @property {string} doc
 * @property {string | number | boolean} [default]
 * @property {string} [defaultText]
 */

/** @typedef {{ races: { findings: import('../../bench/measure/verdict.mjs').Finding[] }[] }} BenchResult */
/** @typedef {Readonly<Record<'cost' | 'http', BenchResult>>} BenchResults by scenario */

/**
 * @param {string} document
 * @param {Readonly<Record<string, string>>} parts by name
 * @returns {string} the document with each part as it should be
 */
export function withParts(document, parts) {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`the document has no place for "${name}": ${begin} … ${end}`);
    return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
  }, document);
}

/**
 * @param {object} sources
 * @param {readonly Setting[]} sources.settings
 * @param {string} sources.example the source of the second entity
 * @param {string} sources.model the table that the model checker has found
 * @param {BenchResults} sources.bench what has been measured
 * @param {Readonly<Record<'sh' | 'js', string>>} sources.clients scripts that use the service
 * @returns {Readonly<Record<string, Readonly<Record<string, string>>>>} the parts of each document by name
 */
export const documentParts = ({ settings, example, model, bench, clients }) => ({
  'README.md': examples(example, ['rule']),
  'docs/http-api.md': { 'client-curl': shown('sh', clients.sh), 'client-fetch': shown('js', clients.js) },
  'docs/settings.md': { settings: settingsTable(settings) },
  'docs/guarantees.md': { model },
  'docs/entities-and-routes.md': examples(example, ['rule', 'module', 'reads', 'route']),
  'docs/testing.md': { cost: benchTable(bench.cost), http: benchTable(bench.http) },
});

/** @param {string} source @param {readonly string[]} names */
const examples = (source, names) => Object.fromEntries(names.map((name) => [`example-${name}`, excerpt(source, name)]));

/**
 * @param {readonly Setting[]} settings
 * @returns {string}
 */
export function settingsTable(settings) {
  return table(
    ['Name', 'Default', 'Meaning'],
    settings.map((setting) => [`\`${setting.name}\``, defaultOf(setting), setting.doc]),
  );
}

/**
 * @param {Setting} setting
 * @returns {string}
 */
function defaultOf({ default: value, defaultText }) {
  if (defaultText !== undefined) return defaultText;
  if (value === undefined) return 'none';
  return `\`${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}\``;
}

/**
 * @param {BenchResult} result
 * @returns {string}
 */
function benchTable({ races }) {
  const findings = races.flatMap((race) => race.findings);
  const bound = (/** @type {{ atLeast?: number, atMost?: number }} */ { atLeast, atMost }) =>
    atLeast !== undefined ? `at least ${shortly(atLeast)}` : atMost !== undefined ? `at most ${shortly(atMost)}` : '';
  return table(
    ['Compared', 'By', 'Ratio', '95 % interval', 'Bound', 'Control'],
    findings.map(({ of, to, metric, ratio, control, ...bounds }) => [
      ...[`${of} : ${to}`, metric, ratio.median.toFixed(2), `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`],
      ...[bound(bounds), control.median.toFixed(2)],
    ]),
  );
}

/**
 * The code between `// readme:<name>` and `// readme:end` of a source file, with its indentation taken off.
 * @param {string} source
 * @param {string} name
 * @returns {string}
 */
export function excerpt(source, name) {
  const lines = source.split('\n');
  const from = lines.findIndex((line) => line.trim() === `// readme:${name}`);
  const to = lines.findIndex((line, at) => at > from && line.trim() === '// readme:end');
  if (from === -1 || to === -1) throw new Error(`there is no excerpt "${name}"`);
  const indent = /^ */.exec(lines[from] ?? '')?.[0].length ?? 0;
  const code = lines.slice(from + 1, to).map((line) => line.slice(indent));
  return ['```ts', ...code, '```'].join('\n');
}

/**
 * What of a script is shown to readers: what stands between `readme:begin` and `readme:end`.
 * @param {string} language
 * @param {string} source
 */
function shown(language, source) {
  const [, code] = /^(?:#|\/\/) readme:begin\n([^]*?)^(?:#|\/\/) readme:end$/m.exec(source) ?? [];
  if (code === undefined) throw new Error(`nothing is marked in the ${language} example`);
  return ['```' + language, code.trimEnd(), '```'].join('\n');
}

/**
 * A table in the layout that prettier gives it.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 * @returns {string}
 */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)));
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(line)].join('\n');
}

/**
 * @param {string} text
 * @param {number} width in code points
 * @returns {string}
 */
const pad = (text, width) => text + ' '.repeat(width - [...text].length);
