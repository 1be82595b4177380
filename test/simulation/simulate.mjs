// @ts-check
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/*
 * As many schedules as you like:   npm run simulate -- --schedules 100000 [--seed 7] [--setup strict,switching]
 * From a seed that is new each time, or yours. A failure prints its seed and path; with --path, only that one is run.
 */
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    setup: { type: 'string' },
    path: { type: 'string' },
  },
});
const { schedules, seed, setup, path } = values;
const environment = {
  SIMULATION_SCHEDULES: schedules,
  SIMULATION_SEED: seed,
  ...(setup && { SIMULATION_SETUPS: setup }),
  ...(path && { SIMULATION_PATH: path }),
};
const args = ['test/simulation/simulation.spec.ts', '--config', 'test/simulation/jest.config.mjs'];
const jest = spawn(process.execPath, ['scripts/jest.mjs', '--runInBand', ...args], {
  env: { ...process.env, ...environment },
  stdio: 'inherit',
});
jest.once('close', (code) => (process.exitCode = code ?? 1));
