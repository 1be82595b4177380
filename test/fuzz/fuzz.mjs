// @ts-check
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/*
 * The fast lane against the same service without it:   npm run fuzz [-- --requests 100000] [--seed 7]
 * A failure prints its seed, and the shortest conversation that shows it.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
});
const environment = { FUZZ_REQUESTS: values.requests, FUZZ_SEED: values.seed };
const jest = spawn(process.execPath, ['scripts/jest.mjs', 'test/fuzz'], {
  env: { ...process.env, ...environment },
  stdio: 'inherit',
});
jest.once('close', (code) => (process.exitCode = code ?? 1));
