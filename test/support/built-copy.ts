import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { ROOT } from '../../scripts/services/folders.mjs';
import { ServiceProcess } from './service-process.js';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** A built copy of this project, whose scripts keep their data next to it. */
export class BuiltCopy {
  readonly path: string;

  /** @param folder keeps the data, and the copy */
  constructor(private readonly folder: string) {
    this.path = join(folder, 'project');
  }

  async make(): Promise<void> {
    await ServiceProcess.build();
    mkdirSync(this.path, { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'));
    for (const name of ['package.json', '.prettierrc.json', 'migrations', 'dist']) {
      cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    }
    // Newer than all sources, and stays so: nothing is built here.
    const tomorrow = Date.now() / 1000 + 86_400;
    utimesSync(join(this.path, 'dist', '.tsbuildinfo'), tomorrow, tomorrow);
  }

  /** Runs a script of package.json in the copy. */
  run(script: string, args: string[] = [], databaseUrl = ''): Promise<{ code: number | null; output: string }> {
    const words = scripts[script]!.split(' ').slice(1);
    const child = spawn(process.execPath, [...words, ...args, '--project', this.path, '--data', this.folder], {
      env: { ...process.env, NODE_ENV: '', DATABASE_URL: databaseUrl, npm_lifecycle_event: '' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }
}

/** How many rows a table of a database has. */
export async function countRows(url: string, table: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  await client.end();
  return rows[0]!.n;
}
