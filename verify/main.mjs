// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { watchLauncher } from '../scripts/start/launcher.mjs';
import { keepHistory, keepLogs, readHistory } from './archive.mjs';
import { judge } from './checker/verdict.mjs';
import { parseOptions, usage, UsageError } from './options.mjs';
import { showProgress } from './progress.mjs';
import { explanation, resultOf, table } from './report.mjs';
import { record } from './run.mjs';
import { Undo } from './undo.mjs';

/**
 * `npm run verify`: real nodes, real PostgreSQL, real Redis, real faults; was the policy's guarantee kept? Exit code 0 if
 * so, 1 if it was broken, 2 if the run itself failed. People read stderr; stdout has one line of JSON, its last.
 */

const say = (/** @type {string} */ line) => console.error(line);
const stopping = new globalThis.AbortController();
const undo = new Undo();

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return (say(usage), 0);
  if (options.check) return conclude(readHistory(options.check), { seconds: 0, crashes: 0, leftBeforeTtl: 0 }, {});
  const { signal } = stopping;
  await buildIfNeeded(ROOT, { say, signal });
  const progress = showProgress(options, say);
  const recorded = await record(options, { undo, signal, say, onProgress: progress.update }).finally(progress.stop);
  const { nodes, rows, seed, l1Strict, settings } = options;
  const seconds = Math.round(recorded.seconds * 10) / 10;
  const { crashes, leftBeforeTtl } = recorded;
  const run = { l1Strict, nodes, rows, seed, seconds, crashes, leftBeforeTtl, settings };
  const name = `${options.policy}-${l1Strict}-${seed}-${new Date().toISOString().replace(/\W/g, '')}`;
  const folder = options.keep ?? join(ROOT, 'verify', 'results');
  const code = conclude(recorded.history, recorded, run, join(folder, `${name}.json`));
  if (code !== 0 || options.keep !== undefined) {
    const file = join(folder, `${name}.jsonl.gz`);
    keepHistory(file, recorded.history);
    keepLogs(recorded.folder, join(folder, `${name}.logs`));
    say(`the history is kept: ${file}`);
  }
  return code;
}

/**
 * @param {import('./checker/history.mjs').History} history
 * @param {{ seconds: number, crashes: number, leftBeforeTtl: number }} recorded
 * @param {Record<string, unknown>} run
 * @param {string} [file]
 */
function conclude(history, recorded, run, file) {
  const judgement = judge(history);
  say(`\n${table(judgement, recorded)}\n`);
  if (judgement.breaches.length > 0) say(`${explanation(judgement, history)}\n`);
  const result = JSON.stringify(resultOf(judgement, run));
  if (file) {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${result}\n`);
  }
  console.log(result);
  return judgement.verdict === 'kept' && recorded.crashes === 0 ? 0 : 1;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => stopping.abort(signal));
}
watchLauncher(() => stopping.abort('SIGTERM'));

try {
  process.exitCode = await main();
} catch (error) {
  const { reason } = stopping.signal;
  if (typeof reason === 'string') process.exitCode = 128 + constants.signals[/** @type {NodeJS.Signals} */ (reason)];
  else {
    say(
      error instanceof UsageError
        ? `${error.message}\n\n${usage}`
        : String((error instanceof Error && error.stack) || error),
    );
    process.exitCode = 2;
  }
}
await undo.run();
process.exit();
