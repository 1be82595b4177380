import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { childrenOf, identify } from '../../scripts/services/process.mjs';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { nodeFlags } from '../../scripts/start/node-flags.mjs';
import { starterIn } from '../support/services/starter.js';
import { until } from '../support/until.js';

const { folder, start, left, stopAll } = starterIn();
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const project = join(folder, 'project');
const main = join(project, 'src', 'main.ts');
/** The application of the starter, as the only source of a project that the Nest CLI builds in a second. */
const sourceThat = (first: string) => `// @ts-nocheck\n${first};\n${readFileSync(join(folder, 'app.mjs'), 'utf8')}`;
const source = sourceThat('');

const isGone = (pid: number): boolean => identify(pid) === undefined;
/** Compiling takes its time on a busy machine. */
const patient = (condition: () => boolean): Promise<void> => until(condition, 100_000);

beforeAll(() => {
  mkdirSync(join(project, 'src', 'page'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  const compilerOptions = { module: 'nodenext', target: 'es2023', rootDir: '.', outDir: 'dist', types: [] };
  const files = {
    'package.json': { type: 'module' },
    'tsconfig.json': { compilerOptions: { ...compilerOptions, skipLibCheck: true }, include: ['src'] },
    'nest-cli.json': {
      sourceRoot: 'src',
      compilerOptions: { tsConfigPath: 'tsconfig.json', deleteOutDir: true, assets: ['page/*'] },
    },
  };
  for (const [name, json] of Object.entries(files)) writeFileSync(join(project, name), JSON.stringify(json));
  writeFileSync(join(project, 'src', 'page', 'page.css'), 'a {}');
  writeFileSync(main, source);
});

test('a changed source is built and the application restarted; the services stay; nothing is left at the end', async () => {
  expect(scripts['start:debug']).toBe(`${scripts['start:dev']} --inspect 127.0.0.1:9229`);
  const flags = scripts['start:dev']!.split(' ').slice(2);
  const app = join(project, 'dist', 'src', 'main.js');
  const started = start({}, [...flags, '--inspect', '127.0.0.1:0', '--project', project, '--app', app]);
  type Given = Record<string, string> & { pid: number; flags: string[] };
  const runs = () => [...started.output().matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line) as Given);
  const lastIs = (nth: number) => started.output().split('ready url=').length === nth + 1 && runs().length === nth;

  await patient(() => lastIs(1));
  expect(runs()[0]!.flags).toEqual([...nodeFlags, '--enable-source-maps', '--inspect=127.0.0.1:0']);
  expect(started.output()).toContain('Debugger listening on ws://127.0.0.1:');
  const services = left().filter(({ name }) => name !== 'app');
  expect(services.map(({ name }) => name).sort()).toEqual(['postgres', 'redis']);

  // A source.
  writeFileSync(main, sourceThat(`console.log('edited')`));
  await patient(() => lastIs(2));
  const [first, second] = runs();
  expect(started.output()).toContain('last answers N +PONG SIGTERM');
  expect(started.output()).toContain('edited\n');
  expect(isGone(first!.pid)).toBe(true);
  const same = ({ DATABASE_URL, REDIS_URL, ADMIN_TOKEN }: Given) => ({ DATABASE_URL, REDIS_URL, ADMIN_TOKEN });
  expect(same(second!)).toEqual(same(first!));

  // One that does not compile.
  writeFileSync(main, `${source}(`);
  await patient(() => started.output().includes('Found 1 error'));
  expect(isGone(second!.pid)).toBe(false);

  // An application that ends by itself.
  process.kill(second!.pid, 'SIGKILL');
  await patient(() => started.output().includes('the application has ended (137): it starts again after a change'));
  writeFileSync(main, source);
  await patient(() => lastIs(3));

  // An asset.
  writeFileSync(join(project, 'src', 'page', 'page.css'), 'b {}');
  await patient(() => lastIs(4));
  expect(readFileSync(join(project, 'dist', 'src', 'page', 'page.css'), 'utf8')).toBe('b {}');

  expect(left().filter(({ name }) => name !== 'app')).toEqual(services);
  const all = [...left(), ...childrenOf(started.child.pid!).map((pid) => ({ pid }))];
  started.child.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
  expect(all.filter(({ pid }) => !isGone(pid))).toEqual([]);
}, 400_000);
