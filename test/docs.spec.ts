import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { guaranteeTable, modelParts, readResults } from '../model/table.mjs';
import { mutationParts, readHunted } from './mutation/report.mjs';
import { excerpt, documentParts, table, withParts } from '../scripts/docs/parts.mjs';
import { settingDefinitions } from '../src/config/index.js';
import { startApp, type TestApp } from './support/start-app.js';

const read = (path: string): string => readFileSync(path, 'utf8');
const pages = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'DECISIONS.md', 'CHANGELOG.md', ...pages];
const all = documents.map((name) => read(name)).join('\n');
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
  'scripts' | 'dependencies' | 'devDependencies',
  Record<string, string>
>;

/** What a pattern's first group finds, each once, in order. */
const found = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))].sort();
/** The text from a heading of some level to the next heading of that level or a higher one. */
const section = (text: string, heading: string): string => {
  const [marks = ''] = /^#+/.exec(heading) ?? [];
  const rest = text.slice(text.indexOf(`\n${heading}\n`) + heading.length + 2);
  return rest.slice(0, new RegExp(`^#{1,${marks.length}} `, 'm').exec(rest)?.index);
};

describe('the documents', () => {
  it('have up-to-date generated parts (npm run docs:generate)', () => {
    const example = read('test/support/gadgets.ts');
    const model = guaranteeTable(readResults());
    type Bench = Parameters<typeof documentParts>[0]['bench'];
    const resultOf = (scenario: keyof Bench) => JSON.parse(read(`bench/results/${scenario}.json`)) as Bench['http'];
    const bench = { cost: resultOf('cost'), http: resultOf('http') };
    const clients = { sh: read('docs/examples/items.sh'), js: read('docs/examples/items.mjs') };
    const parts = documentParts({ settings: settingDefinitions(), example, model, bench, clients });
    for (const [name, ofDocument] of Object.entries(parts)) expect(withParts(read(name), ofDocument)).toBe(read(name));
    const ofModel = read('model/README.md');
    expect(withParts(ofModel, modelParts(readResults()))).toBe(ofModel);
    const ofMutation = read('test/mutation/README.md');
    expect(withParts(ofMutation, mutationParts(readHunted()))).toBe(ofMutation);
  });

  it('name files that exist', () => {
    const named = found(all, /(?<![\w/])((?:src|test|scripts|migrations|model|verify|bench|ops)\/[\w./-]*[\w/])/g);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(path) && !existsSync(`${path}.e2e-spec.ts`))).toEqual([]);
  });

  it('name commands that exist', () => {
    const commands = found(all, /npm run (?:--silent )?([\w:]+)/g);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('name settings that exist', () => {
    const known = new Set(settingDefinitions().map(({ name }) => name));
    const named = found(all, /`((?:CACHE|WARM|DRAIN|DATABASE|REDIS|ADMIN|ITEMS)_[A-Z0-9_]*[A-Z0-9])`/g);
    expect(named.filter((name) => !known.has(name) && name !== 'CACHE_MANAGER')).toEqual([]);
  });

  it('name for operators the test of every line, or say that there is none', () => {
    const lines = read('docs/operations.md').split('\n');
    const rows = lines.filter((line) => line.startsWith('| ') && !/^\| (What|Setting) |^\| -/.test(line));
    expect(rows.length).toBeGreaterThan(30);
    const tried = /\| [^|]*(`test\/[\w./-]+`|`\.github\/[\w./-]+`|`npm run [\w:]+`|not tried)[^|]*\|$/;
    expect(rows.filter((row) => !tried.test(row))).toEqual([]);
  });

  it('link to files that exist', () => {
    const broken = documents.flatMap((document) =>
      found(read(document), /\]\((?!https?:)([^)#]+)/g)
        .filter((path) => !existsSync(join(dirname(document), path)))
        .map((path) => `${document}: ${path}`),
    );
    expect(broken).toEqual([]);
  });

  it('link to headings that exist', () => {
    const headings = (document: string) =>
      [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)]
        .filter(([, path, id]) => !headings(path ? join(dirname(document), path) : document).includes(id!))
        .map(([link]) => `${document}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('begin with a README of at most 12 kB, and pages with the gist of them', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(12_000);
    const gist = /^# .+\n\n(?:\*\*TL;DR\*\*|[^#]+\n## TL;DR\n)/;
    const written = pages.filter((page) => page !== 'docs/conformance.md');
    expect(written.filter((page) => !gist.test(read(page)))).toEqual([]);
  });

  it('describe every metric that there is, and no other', () => {
    const sources = readdirSync('src/metrics').map((name) => read(`src/metrics/${name}`));
    const metrics = found(sources.join('\n'), /'((?:cache|warming|http|database)_[a-z0-9_]+)'/g);
    expect(found(read('docs/running.md'), /^\| `([a-z0-9_]+)`/gm)).toEqual(metrics);
  });

  it('say what every package is for, and name no other', () => {
    const named = found(section(read('DECISIONS.md'), '## Dependencies'), /`(@?[a-z][\w./-]*)`(?=[,| ])/g);
    const own = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/'));
    expect(own.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('keep the architecture on one page, with every module on it', () => {
    const architecture = read('ARCHITECTURE.md');
    expect(architecture.split('\n').length).toBeLessThanOrEqual(170);
    const modules = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const missing = modules.filter(({ name }) => !section(architecture, '## Ranks').includes(`\`${name}\``));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('keep each decision short', () => {
    const decisions = read('DECISIONS.md').split('\n## ')[0]!.split('\n### ').slice(1);
    expect(decisions.filter((text) => text.trim().split('\n').length > 8)).toEqual([]);
    for (const part of ['Choice', 'Rejected', 'Evidence'])
      expect(decisions.filter((text) => !text.includes(`**${part}**`))).toEqual([]);
  });
});

describe('the routes', () => {
  let app: TestApp;
  beforeAll(async () => (app = await startApp({ env: { ADMIN_TOKEN: 'a-token-of-a-test' } })));
  afterAll(() => app.close());

  it('are all on the page of the HTTP API, and no other', async () => {
    const { body } = await app.http.get('/docs-json').expect(200);
    const routes = Object.entries(body.paths as Record<string, Record<string, unknown>>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(found(read('docs/http-api.md'), /^\| `([A-Z]+ [^`]+)`/gm)).toEqual(routes.sort());
  });
});

describe('generated parts', () => {
  it('replace what stands between their marks, and nothing else', () => {
    const text = 'a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb';
    const once = withParts(text, { x: 'new' });
    expect(once).toBe('a\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nb');
    expect(withParts(once, { x: 'new' })).toBe(once);
    expect(() => withParts(text, { y: 'new' })).toThrow('no place for "y"');
  });

  it('are tables that prettier would not change', () => {
    expect(table(['A', 'Name'], [['1 | 2', '`…`']])).toBe('| A      | Name |\n| ------ | ---- |\n| 1 \\| 2 | `…`  |');
  });

  it('are code without its marks and its indentation', () => {
    expect(excerpt('x\n  // readme:a\n  one {\n    two\n  // readme:end\ny', 'a')).toBe('```ts\none {\n  two\n```');
    expect(() => excerpt('', 'a')).toThrow('no excerpt "a"');
  });
});
