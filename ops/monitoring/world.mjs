// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ROOT } from '../../scripts/services/folders.mjs';
import { leash } from '../../scripts/services/leash.mjs';
import { freePort } from '../../scripts/services/ports.mjs';
import { createDatabase } from '../../scripts/services/postgres-databases.mjs';
import { recordsIn, rememberLeashed } from '../../scripts/services/records.mjs';
import { run } from '../../scripts/services/run.mjs';
import { bareEnvironment } from '../../verify/environment.mjs';
import { NodeProcess } from '../../verify/node-process.mjs';
import { openRunFolder, PrivateRedis, providePostgres } from '../../verify/services.mjs';

/** @typedef {import('../../verify/undo.mjs').Undo} Undo */

/**
 * A node of the built service with a PostgreSQL and a Redis of its own, and a Prometheus that scrapes it every second.
 * @param {Undo} undo
 * @param {AbortSignal} signal
 */
export async function openWorld(undo, signal) {
  const { folder, dist } = await openRunFolder(undo);
  const redis = await PrivateRedis.start(folder, undo, signal);
  const postgresUrl = new URL(await providePostgres(folder, undo, signal));
  await createDatabase(postgresUrl.href, 'monitored');
  postgresUrl.pathname = '/monitored';
  const env = {
    ...bareEnvironment(),
    ...{ PORT: '0', LOG_LEVEL: 'warn', WARM_SCHEDULE: 'off' },
    ...{ DATABASE_URL: postgresUrl.href, REDIS_URL: `redis://127.0.0.1:${redis.port}` },
  };
  await run(process.execPath, [join(dist, 'src', 'migrate.js'), '--seed'], { env, signal });
  const onCrash = (/** @type {NodeProcess} */ _, /** @type {string} */ log) => console.error(`the node ended:\n${log}`);
  const node = new NodeProcess({ index: 0, folder, dist, env, onCrash });
  undo.add(() => node.kill());
  await node.start();
  if (!node.url) throw new Error('the node has ended');
  const prometheus = await Prometheus.start(folder, node.url.host, undo);
  keepReading(node.url, undo);
  return { node: node.url, redis, prometheus };
}

/**
 * What clients do meanwhile.
 * @param {URL} node
 * @param {Undo} undo
 */
function keepReading(node, undo) {
  let count = 0;
  const timer = setInterval(() => {
    const path = (count += 1) % 3 === 0 ? '/items?limit=5' : `/items/${1 + (count % 50)}`;
    void fetch(new URL(path, node)).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
  }, 50);
  undo.add(() => clearInterval(timer));
}

/**
 * The service's own configuration, but for where the nodes are and how often one looks. The rules are untouched.
 * @param {string} target
 */
function configuration(target) {
  const own = join(ROOT, 'ops', 'prometheus');
  const config = parse(readFileSync(join(own, 'prometheus.yml'), 'utf8'));
  return stringify({
    ...config,
    global: { ...config.global, scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: config.rule_files.map((/** @type {string} */ pattern) => join(own, pattern)),
    scrape_configs: config.scrape_configs.map((/** @type {object} */ scrape) => ({
      ...scrape,
      static_configs: [{ targets: [target] }],
    })),
  });
}

/** @typedef {{ name: string, type: 'alerting' | 'recording', health: string, lastError?: string, query: string, duration: number, state?: string }} RuleView */

/** A Prometheus on a leash. */
export class Prometheus {
  /** @param {number} port */
  constructor(port) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** @param {string} folder @param {string} target @param {Undo} undo */
  static async start(folder, target, undo) {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, configuration(target));
    const port = await freePort();
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const log = join(folder, 'prometheus.log');
    const process = await leash('prometheus', args, { onEnd: 'SIGKILL', log, cwd: folder });
    rememberLeashed(recordsIn(folder), { name: 'prometheus', signal: 'SIGKILL' }, process);
    undo.add(() => process.stop(['SIGTERM', 'SIGKILL'], 5_000));
    return new Prometheus(port);
  }

  /** @returns {Promise<boolean>} */
  ready() {
    return fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /**
   * @param {string} expression
   * @returns {Promise<{ metric: Record<string, string>, value: [number, string] }[]>} the samples that it has now
   */
  async query(expression) {
    const data = await this.#ask(`query?query=${encodeURIComponent(expression)}`);
    return data.result;
  }

  /** @returns {Promise<RuleView[]>} */
  async rules() {
    const { groups } = await this.#ask('rules');
    return groups.flatMap((/** @type {{ rules: RuleView[] }} */ group) => group.rules);
  }

  /** @param {string} question */
  async #ask(question) {
    const response = await fetch(`${this.url}/api/v1/${question}`);
    const answer = /** @type {any} */ (await response.json());
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${decodeURIComponent(question)}`);
    return answer.data;
  }
}
