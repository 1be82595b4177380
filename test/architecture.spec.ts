import { policyNames } from '../src/policies/index.js';
import { cycles, type Import, parse, type SourceFile, sourceFiles } from './architecture/source-graph.js';

/** A module imports only modules of a lower rank. A new module gets its line here. */
const ranks: Readonly<Record<string, number>> = {
  policies: 0,
  config: 1,
  http: 1,
  database: 1,
  logging: 1,
  workers: 1,
  cache: 2,
  invalidation: 3,
  warming: 3,
  items: 4,
  metrics: 4,
  health: 4,
  admin: 4,
  tracing: 4,
};

/** The files in `src` itself: they put the modules together, and no module imports them. */
const rootRank = 5;

/** Every import between modules of one rank, and why. One that is no longer needed has to go from here, too. */
const exceptions: Readonly<Record<string, string>> = {};

const longestFile = 250;
/** Files that are allowed more lines, and why. */
const longer: Readonly<Record<string, { readonly lines: number; readonly because: string }>> = {
  'src/cache/engine/read-through.ts': {
    lines: 330,
    because: 'one read, from the first level to the database, is one thought',
  },
  'src/cache/levels/l2/generation.ts': {
    lines: 320,
    because: 'how a generation begins, is joined and is confirmed is one protocol',
  },
  'src/cache/levels/l2/redis-connection.ts': {
    lines: 400,
    because: 'one state machine: closed, open, half-open, joining',
  },
  'src/cache/levels/l2/redis-level.ts': { lines: 280, because: 'all kinds of entries of one level' },
  'src/cache/levels/l2/redis-tags.ts': { lines: 290, because: 'the commands of writers, one after the other' },
  'src/invalidation/feed/change-feed.ts': { lines: 260, because: 'who reads the feed, from standing by to its end' },
};
const longestTest = 400;
/** Above it a test file is named in the report, below `longestTest` nothing fails. */
const comfortableTest = 300;
const highestMedian = 80;

const isTest = (path: string) => path.endsWith('spec.ts');
const all = sourceFiles('src');
const sources = all.filter(({ path }) => !isTest(path));
const tests = [...all.filter(({ path }) => isTest(path)), ...sourceFiles('test')];

/** `cache` for `src/cache/engine/scope.ts`; undefined for the root files and for what is outside `src`. */
const moduleOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];
const rankOf = (path: string) => {
  const module = moduleOf(path);
  return module === undefined ? rootRank : ranks[module];
};

const show = ({ from, to }: Import) => `${from} imports ${to}`;

/** Imports that leave their module for another one, or for a root file. */
function crossings(files: readonly SourceFile[]): Import[] {
  return files
    .flatMap(({ imports }) => imports)
    .filter(({ from, to }) => to.startsWith('src/') && moduleOf(from) !== moduleOf(to));
}

function againstTheRanks(files: readonly SourceFile[]): Import[] {
  return crossings(files).filter(({ from, to }) => {
    const [own, other] = [rankOf(from), rankOf(to)];
    return own === undefined || other === undefined || own <= other;
  });
}

function pastTheIndex(files: readonly SourceFile[]): Import[] {
  return crossings(files).filter(({ to }) => moduleOf(to) !== undefined && !/^src\/[^/]+\/index\.ts$/.test(to));
}

const key = ({ from, to }: Import) => `${moduleOf(from) ?? from} -> ${moduleOf(to) ?? to}`;

describe('the architecture', () => {
  it('gives every module a rank', () => {
    const modules = new Set(all.flatMap(({ path }) => moduleOf(path) ?? []));
    expect([...modules].filter((module) => !(module in ranks))).toEqual([]);
  });

  it('lets a module import only from a lower rank', () => {
    const broken = againstTheRanks(sources).filter((found) => !(key(found) in exceptions));
    expect(broken.map(show)).toEqual([]);
  });

  it('lists no exception that nothing needs', () => {
    const needed = new Set(againstTheRanks(sources).map(key));
    expect(Object.keys(exceptions).filter((exception) => !needed.has(exception))).toEqual([]);
  });

  it('lets a module be imported only through its index', () => {
    expect(pastTheIndex(sources).map(show)).toEqual([]);
  });

  it('has no import cycle, types included', () => {
    expect(cycles(sources)).toEqual([]);
  });

  it('imports no tests, scripts or tools into the service', () => {
    const outside = sources.flatMap(({ imports }) => imports).filter(({ to }) => !/^(src|migrations)\//.test(to));
    expect([...outside.map(show), ...sources.flatMap(importsOfTests)]).toEqual([]);
  });

  it('reads the environment only in config', () => {
    const reads = sources.filter(({ path }) => moduleOf(path) !== 'config').flatMap((file) => file.environmentReads);
    expect(reads).toEqual([]);
  });

  it('keeps the domain out of the engine', () => {
    const engine = sources.filter(({ path }) => moduleOf(path) === 'cache');
    const named = engine.flatMap(({ path, words }) => words.filter(namesItems).map((word) => `${path}: ${word}`));
    expect(named).toEqual([]);
  });

  it('names a policy only where the policies are: everybody else asks it', () => {
    const others = sources.filter(({ path }) => moduleOf(path) !== 'policies');
    const named = others.flatMap(({ path, literals }) =>
      literals.filter((text) => (policyNames as readonly string[]).includes(text)).map((text) => `${path}: ${text}`),
    );
    expect(new Set(named)).toEqual(new Set(Object.keys(otherMeanings)));
  });
});

/** Where a word that is a policy's name means something else. */
const otherMeanings: Readonly<Record<string, string>> = {
  'src/admin/cache.controller.ts: invalidate': 'a path',
  'src/admin/guard/session-cookie.ts: strict': 'which sites send a cookie',
  'src/cache/levels/l2/redis-tags.ts: invalidate': 'a script',
};

const importsOfTests = ({ imports }: SourceFile) => imports.filter(({ to }) => isTest(to)).map(show);
const namesItems = (word: string) => /(?:^|[^a-zA-Z])items?(?![a-z])|Items?(?![a-z])/.test(word);

describe('the size of files', () => {
  it(`is at most ${longestFile} lines`, () => {
    const long = sources.filter(({ path, lines }) => lines > (longer[path]?.lines ?? longestFile));
    expect(long.map(({ path, lines }) => `${path} (${lines} lines)`)).toEqual([]);
  });

  it('has no exception that nothing needs', () => {
    const short = sources.filter(({ path, lines }) => path in longer && lines <= longestFile);
    expect(short.map(({ path }) => path)).toEqual([]);
  });

  it(`has a median of at most ${highestMedian} lines`, () => {
    const lines = sources.map((file) => file.lines).sort((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(highestMedian);
  });

  it(`is at most ${longestTest} lines for tests, better ${comfortableTest}`, () => {
    const long = longerThan(comfortableTest, tests);
    if (long.length > 0) console.warn(`long tests, to be split one day: ${long.join(', ')}`);
    expect(longerThan(longestTest, tests)).toEqual([]);
  });
});

function longerThan(lines: number, files: readonly SourceFile[]): string[] {
  return files.filter((file) => file.lines > lines).map((file) => `${file.path} (${file.lines} lines)`);
}

describe('these rules', () => {
  const files = (texts: Readonly<Record<string, string>>) =>
    Object.entries(texts).map(([path, text]) => parse(path, text));

  it('see every way to import', () => {
    const [file] = files({
      'src/cache/a.ts': `import x from './b.js'; export * from '../items/index.js'; type T = import('./c.js').T;
        const d = await import('./d.js'); import e = require('./e.js'); import type { f } from './f.js';`,
    });
    const names = ['cache/b', 'items/index', 'cache/c', 'cache/d', 'cache/e', 'cache/f'];
    expect(file?.imports.map(({ to }) => to)).toEqual(names.map((name) => `src/${name}.ts`));
  });

  it('notice a higher rank, an equal one, an unknown one, a root file and a way past the index', () => {
    const broken = files({
      'src/cache/a.ts': `import '../items/index.js'; import '../config/index.js'; import '../main.js';`,
      'src/metrics/a.ts': `import '../health/index.js'; import '../cache/engine/scope.js'; import './b.js';`,
      'src/strange/a.ts': `import '../config/index.js';`,
    });
    expect(againstTheRanks(broken).map(({ to }) => to)).toEqual([
      'src/items/index.ts',
      'src/main.ts',
      'src/health/index.ts',
      'src/config/index.ts',
    ]);
    expect(pastTheIndex(broken).map(({ to }) => to)).toEqual(['src/cache/engine/scope.ts']);
  });

  it('notice cycles of any length', () => {
    const circle = files({
      'src/a.ts': `import './b.js';`,
      'src/b.ts': `import type { C } from './c.js';`,
      'src/c.ts': `import './a.js'; import './d.js';`,
      'src/d.ts': `import './e.js';`,
      'src/e.ts': '',
    });
    expect(cycles(circle).map((group) => group.sort())).toEqual([['src/a.ts', 'src/b.ts', 'src/c.ts']]);
  });

  it('notice every way to read the environment', () => {
    const [file] = files({
      'src/a.ts': `process.env.A;\nprocess['env'];\nconst { env } = process;\nimport { env as e } from 'node:process';\nprocess.exit(); // process.env`,
    });
    expect(file?.environmentReads).toEqual(['src/a.ts:1', 'src/a.ts:2', 'src/a.ts:3', 'src/a.ts:4']);
  });

  it('notice an item in code, not in a comment', () => {
    const [file] = files({ 'src/cache/a.ts': `// items:42\nconst itemRows = \`items:\${id}\`; itemise('itemized');` });
    expect(file?.words.filter(namesItems)).toEqual(['itemRows', 'items:']);
  });
});
