// @ts-check
import { parseArgs } from 'node:util';
import { progressOf } from './warm/progress.mjs';
import { ServiceError, warmingService } from './warm/service.mjs';

/**
 * `npm run warm -- --strategy recent --limit 1000`: has a running service fill its cache, and shows how far it is.
 * Ctrl-C cancels the job. Ends with 0 once everything is warm, with 1 if it is not, with 2 for options that make no sense.
 */

const usage = `npm run warm -- [options]

  --strategy  recent (default), lists, all, or ids
  --limit     at most so many rows or lists
  --ids       1,2,42: with --strategy ids
  --entity    what to warm, where several entities are cached
  --url       of the service (default http://127.0.0.1:3000)
  --token     admin token (default: ADMIN_TOKEN of the environment)`;

const pollMs = 250;
/** How long the service may be away while the job goes on without us asking. */
const patienceMs = 30_000;

/** @returns {{ url: string, token: string | undefined, wanted: import('./warm/service.mjs').Wanted }} */
function readOptions() {
  const { values } = parseArgs({
    options: {
      strategy: { type: 'string', default: 'recent' },
      limit: { type: 'string' },
      ids: { type: 'string' },
      entity: { type: 'string' },
      url: { type: 'string', default: 'http://127.0.0.1:3000' },
      token: { type: 'string', default: process.env['ADMIN_TOKEN'] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { strategy, limit, ids, entity, url, token, help } = values;
  if (help) {
    console.log(usage);
    // There is nothing else to do, whatever else was asked for.
    process.exit(0);
  }
  if (!URL.canParse(url)) throw new TypeError(`${url} is no URL`);
  // What is no number is sent as it is: the service says what is wrong with it.
  const number = (/** @type {string} */ text) => (/^\d{1,15}$/.test(text) ? Number(text) : text);
  const wanted = {
    strategy,
    ...(limit !== undefined && { limit: number(limit) }),
    ...(ids !== undefined && { ids: ids.split(',').map((id) => number(id.trim())) }),
    ...(entity !== undefined && { entity }),
  };
  return { url, token, wanted };
}

/** @param {import('./warm/service.mjs').WarmingService} service @param {string} id @returns {Promise<number>} exit code */
async function follow(service, id) {
  const progress = progressOf(process.stdout);
  let answeredAt = performance.now();
  for (;;) {
    try {
      const job = await service.find(id);
      answeredAt = performance.now();
      progress.show(job);
      if (job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled') {
        progress.end();
        return job.state === 'completed' ? done(job) : notDone(job);
      }
    } catch (error) {
      const passing = error instanceof ServiceError && error.passing;
      if (!passing || performance.now() - answeredAt > patienceMs) {
        progress.end();
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** @param {import('./warm/service.mjs').Job} job */
function done({ warmed = 0, alreadyCached = 0, refused = 0, seconds = 0 }) {
  console.log(`${warmed} warmed, ${alreadyCached} already cached, ${refused} refused in ${seconds} s`);
  return 0;
}

/** @param {import('./warm/service.mjs').Job} job */
function notDone({ id, state, progress, error }) {
  console.error(state === 'failed' ? `job ${id} failed: ${error}` : `job ${id} was cancelled at ${progress} %`);
  return 1;
}

/** @param {import('./warm/service.mjs').WarmingService} service @param {string} id */
function cancelOnInterrupt(service, id) {
  process.once('SIGINT', () => {
    // Asked twice: whoever asks does not want to wait for the service. 130 is what a shell says of SIGINT.
    process.once('SIGINT', () => process.exit(130));
    service
      .cancel(id)
      .then(() => console.error(`\njob ${id} is cancelled`))
      .catch((/** @type {Error} */ error) => console.error(`\njob ${id} could not be cancelled: ${error.message}`))
      // Looking at the job would go on.
      .finally(() => process.exit(130));
  });
}

async function main() {
  const { url, token, wanted } = readOptions();
  const service = warmingService(url, token);
  const { id } = await service.start(wanted);
  cancelOnInterrupt(service, id);
  console.log(`job ${id} at ${url}`);
  return follow(service, id);
}

try {
  process.exitCode = await main();
} catch (error) {
  const { message } = /** @type {Error} */ (error);
  if (error instanceof ServiceError) console.error(message);
  else console.error(`${message}\n\n${usage}`);
  process.exitCode = error instanceof ServiceError ? 1 : 2;
}
