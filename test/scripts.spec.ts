import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { nodeFlags } from '../scripts/start/node-flags.mjs';
import { testEnvironment, uniqueName } from './support/services/environment.mjs';
import { until } from './support/until.js';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
/** What a shell would run, one command each, in words. */
const commandsOf = (script: string): string[][] =>
  script.split(/&&|\|\||[;|&]/).map((part) => part.trim().split(/\s+/));

/** Starts with a word that only a POSIX shell understands. */
const needsPosixShell = ([first = '']: string[]): boolean => first === 'exec' || /^\w+=/.test(first);

describe('the scripts of package.json', () => {
  test('need no POSIX shell: no `exec`, no `NAME=value` before a command', () => {
    expect(['exec node a.mjs', 'A=1 node a.mjs', 'tsc && B=2 jest'].map(portable)).toEqual([false, false, false]);
    expect(Object.entries(scripts).filter(([, script]) => !portable(script))).toEqual([]);
  });

  test('run files and packages that are there', () => {
    const commands = Object.values(scripts).flatMap(commandsOf);
    const files = commands.flatMap(([first, ...words]) => (first === 'node' ? words.filter(isSource) : []));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const programs = commands.map(([first]) => first!).filter((first) => !['node', 'npm'].includes(first));
    expect(programs.filter((name) => !existsSync(join('node_modules', '.bin', name)))).toEqual([]);
  });

  test('have the names that users of the Nest CLI and of TypeORM know', () => {
    const known =
      'build format lint start start:dev start:debug start:prod test test:watch test:cov test:e2e ' +
      'migration:generate migration:run migration:revert seed';
    expect(known.split(' ').filter((name) => !(name in scripts))).toEqual([]);
  });
});

const portable = (script: string): boolean => !commandsOf(script).some(needsPosixShell);
const isSource = (word: string): boolean => /^[\w/-]+\.mjs$/.test(word);

describe('npm run start:prod', () => {
  const folder = testEnvironment().folder;
  const app = join(folder, `${uniqueName('prod')}.mjs`);
  writeFileSync(
    app,
    `console.log(JSON.stringify({ NODE_ENV: process.env.NODE_ENV, flags: process.execArgv, pid: process.pid }));
     let signals = [];
     for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
       signals.push(signal);
       setTimeout(() => { console.log('signals', signals.join()); process.exit(7); }, 600);
     });
     process.send({ type: 'ready', url: 'http://127.0.0.1:1' });
     setInterval(() => undefined, 1000);`,
  );

  /** @param npm a file that runs its argument as npm runs a script */
  function start(npm?: string) {
    const script = `${scripts['start:prod']} --app ${app}`;
    const args = npm ? [npm, script] : script.split(' ').slice(1);
    const env = { ...process.env, NODE_ENV: 'development', npm_lifecycle_event: npm ? 'start:prod' : '' };
    const child = spawn(process.execPath, args, { cwd: ROOT, env, detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const closed = once(child, 'close') as Promise<[number | null]>;
    return { child, output: () => output, closed, ready: () => until(() => output.includes('ready url='), 50_000) };
  }

  test('is production, with the flags for Node; it passes signals on and ends with the exit code of the service', async () => {
    const { child, output, closed, ready } = start();
    await ready();
    expect(output()).toContain('ready url=http://127.0.0.1:1\n');
    const given = JSON.parse(/^\{.*\}$/m.exec(output())![0]) as object;
    expect(given).toMatchObject({ NODE_ENV: 'production', flags: nodeFlags });
    process.kill(-child.pid!, 'SIGINT');
    expect((await closed)[0]).toBe(7);
    expect(output()).toContain('signals SIGINT\n');
  }, 120_000);

  test('ends when npm is gone, which signals only the shell between the two', async () => {
    const npm = join(folder, `${uniqueName('npm')}.mjs`);
    writeFileSync(
      npm,
      `import { spawn } from 'node:child_process';
       process.title = 'npm run start:prod';
       // Not the last command of the shell, so that no shell replaces itself by it.
       const shell = spawn('/bin/sh', ['-c', process.argv[2] + '; exit'], { stdio: 'inherit' });
       process.on('SIGTERM', () => shell.kill('SIGTERM'));
       shell.on('exit', () => process.exit(143));`,
    );
    const { child, output, closed, ready } = start(npm);
    await ready();
    child.kill('SIGTERM');
    await closed;
    expect(output()).toContain('signals SIGTERM\n');
  }, 120_000);
});
