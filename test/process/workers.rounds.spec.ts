import { type ChildProcess, fork } from 'node:child_process';
import { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Downward, type Upward } from '../../src/workers/messages.js';
import { Rounds } from '../../src/workers/rounds.js';
import { answeredMeanwhile } from '../support/stand-still.js';

const folder = mkdtempSync(join(tmpdir(), 'rounds-'));
let child: ChildProcess;

beforeAll(async () => {
  const script = join(folder, 'worker.mjs');
  writeFileSync(
    script,
    `process.on('message', ({ id }) => process.send({ type: 'said', id, text: 'here' }));
     process.send({ type: 'ready', url: '' });`,
  );
  child = fork(script, { execArgv: [] });
  await once(child, 'message');
});
afterAll(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

it('a round has what a worker said while the process above it stood still', async () => {
  const worker = { isConnected: () => true, send: (message: Downward) => child.send(message) } as unknown as Worker;
  const rounds = new Rounds(() => [worker]);
  const hear = (message: Upward) => message.type === 'said' && rounds.said(worker, message.id, message.text);
  child.on('message', hear);
  let asked = 0;
  await answeredMeanwhile(
    () =>
      new Promise((resolve) => {
        const send = (message: Downward) => resolve(message.type === 'answers' && message.texts.join() === 'here');
        rounds.begin({ isConnected: () => true, send } as unknown as Worker, (asked += 1), 'metrics');
      }),
    { sentAtOnce: true, firstMs: 1_500 },
  );
  child.off('message', hear);
});
