// @ts-check
// Builds the image and brings the compose file up for real, then looks at it from outside:
//   node ops/containers/verify.mjs [--engine docker|podman] [--budget SECONDS] [--keep FOLDER]
// --keep leaves the base images that podman needs in a folder for the next run; without it nothing stays.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../scripts/services/ports.mjs';
import { checks } from './checks.mjs';
import { docker, hasDocker } from './engines/docker.mjs';
import { hasPodman, packages, podman, removeRemains } from './engines/podman.mjs';
import { stopping } from './run.mjs';
import { Stack } from './stack.mjs';

/** @typedef {import('./engines/docker.mjs').Engine} Engine */

const project = resolve(new URL('../..', import.meta.url).pathname);
const scratch = '/var/tmp';
const prefix = 'strata-containers-';

const { values: options } = parseArgs({
  options: { engine: { type: 'string' }, budget: { type: 'string', default: '1200' }, keep: { type: 'string' } },
});

const budget = setTimeout(
  () => stopping.abort(new Error(`not done within ${options.budget} s`)),
  Number(options.budget) * 1_000,
);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => stopping.abort(new Error(`interrupted by ${signal}`)));
}

try {
  await verify(await chooseEngine());
} catch (error) {
  console.error(`\nfailed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  clearTimeout(budget);
}

/** @returns {Promise<Engine>} */
async function chooseEngine() {
  if (options.engine !== 'podman' && (await hasDocker())) return docker(project);
  if (options.engine !== 'docker' && process.getuid?.() === 0 && (await hasPodman())) {
    await removeRemainsOfKilledRuns();
    const folder = options.keep ? resolve(options.keep) : mkdtempSync(join(scratch, `${prefix}${process.pid}-`));
    mkdirSync(folder, { recursive: true });
    return podman(project, folder, options.keep !== undefined);
  }
  const remedy = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  throw new Error(`there is no container engine here: install Docker with its compose plugin or, as root, ${remedy}`);
}

async function removeRemainsOfKilledRuns() {
  for (const name of readdirSync(scratch).filter((entry) => entry.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    if (!isRunning(pid)) await removeRemains(join(scratch, name));
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** @param {Engine} engine */
async function verify(engine) {
  const name = `strata-verify-${process.pid}`;
  const env = {
    STRATA_IMAGE: `strata:verify-${process.pid}`,
    STRATA_ADDRESS: '127.0.0.1',
    STRATA_PORT: String(await freePort()),
    STRATA_PORT_2: String(await freePort()),
    PROMETHEUS_PORT: String(await freePort()),
    GRAFANA_PORT: String(await freePort()),
    POSTGRES_PASSWORD: randomBytes(12).toString('hex'),
    ADMIN_TOKEN: '',
    CACHE_POLICY: '',
    WARM_AT_BOOT: '',
    LOG_LEVEL: '',
  };
  const stack = new Stack(engine, name, env);
  console.log(`engine: ${engine.name}${engine.absent.map((service) => `, without ${service}`).join('')}`);
  try {
    await step('base images are there', () => engine.prepare(env));
    await step('the image builds', () => engine.build(env));
    await step('its size', () => sizes(engine, env.STRATA_IMAGE));
    for (const [claim, check] of Object.entries(checks)) await step(claim, () => check(stack));
  } catch (error) {
    console.error(await stack.logs().catch(() => 'no logs'));
    throw error;
  } finally {
    await engine.compose(['-p', name, 'down', '-v', '-t', '1'], env, true).catch(() => undefined);
    await engine.close(env);
  }
}

/**
 * @param {Engine} engine
 * @param {string} image
 */
async function sizes(engine, image) {
  const size = async (/** @type {string} */ name) =>
    Number(await engine.cli(['image', 'inspect', '--format', '{{.Size}}', name])) / 1e6;
  const imageMB = Math.round(await size(image));
  const base = await size('node:24-bookworm-slim').catch(() => 0);
  return base ? { imageMB, ofItOursMB: Math.round(imageMB - base) } : { imageMB };
}

/**
 * @param {string} claim
 * @param {() => Promise<import('./checks.mjs').Figures | void>} work
 */
async function step(claim, work) {
  const begun = performance.now();
  const figures = Object.entries((await work()) ?? {}).map(([name, value]) => `${name}=${value}`);
  const took = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${took.padStart(6)} s  ${claim}${figures.length > 0 ? `: ${figures.join(' ')}` : ''}`);
}
