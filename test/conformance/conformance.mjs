// @ts-check
import { spawn } from 'node:child_process';

/* The public HTTP cache tests, and what they say into docs/conformance.json and docs/conformance.md:   npm run conformance */

const jest = spawn(
  process.execPath,
  ['scripts/jest.mjs', '--config', 'test/proof/jest.config.mjs', 'test/conformance'],
  {
    env: { ...process.env, CONFORMANCE_WRITE: '1' },
    stdio: 'inherit',
  },
);
jest.once('close', (code) => (process.exitCode = code ?? 1));
