// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { keepHistory, keepLogs, readHistory } from './archive.mjs';
import { judge } from './checker/verdict.mjs';
import { runCommand } from './command.mjs';
import { parseOptions, usage } from './options.mjs';
import { showProgress } from './progress.mjs';
import { explanation, resultOf, table } from './report.mjs';
import { record } from './run.mjs';

/**
 * `npm run verify`: real nodes, real PostgreSQL, real Redis, real faults; was the policy's guarantee kept? Exit code 0 if
 * so, 1 if it was broken, 2 if the run itself failed. People read stderr; stdout has one line of JSON, its last.
 */

/** @param {import('./command.mjs').Surroundings} surroundings @returns {Promise<number>} the exit code */
async function main({ undo, signal, say }) {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return (say(usage), 0);
  if (options.check) return conclude(readHistory(options.check), { seconds: 0, crashes: 0, leftBeforeTtl: 0 }, {});
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
  console.error(`\n${table(judgement, recorded)}\n`);
  if (judgement.breaches.length > 0) console.error(`${explanation(judgement, history)}\n`);
  const result = JSON.stringify(resultOf(judgement, run));
  if (file) {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${result}\n`);
  }
  console.log(result);
  return judgement.verdict === 'kept' && recorded.crashes === 0 ? 0 : 1;
}

await runCommand(() => usage, main);
