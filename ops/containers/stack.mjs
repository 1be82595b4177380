// @ts-check
import { until } from './run.mjs';

/** @typedef {import('./engines/docker.mjs').Engine} Engine */

/** @param {string | undefined} port */
const local = (port) => `http://127.0.0.1:${port}`;

/** One project of containers, made of the compose file, and what can be asked of it. */
export class Stack {
  /** @type {Map<string, string>} by service */
  #containers = new Map();

  /**
   * @param {Engine} engine
   * @param {string} name of the project
   * @param {NodeJS.ProcessEnv} env that the compose file reads
   */
  constructor(engine, name, env) {
    this.engine = engine;
    this.name = name;
    this.env = env;
    /** Where the nodes are published. @type {Readonly<Record<string, string>>} */
    this.urls = { 'app-1': local(env.STRATA_PORT), 'app-2': local(env.STRATA_PORT_2) };
  }

  /** @param {string[]} args */
  compose(...args) {
    if (args[0] === 'up' || args[0] === 'down') this.#containers.clear();
    return this.engine.compose(['-p', this.name, ...args], this.env);
  }

  /** @param {string} service */
  async container(service) {
    const id = this.#containers.get(service) ?? (await this.compose('ps', '-q', service));
    if (!id) throw new Error(`${service} has no container`);
    this.#containers.set(service, id);
    return id;
  }

  /**
   * @param {string} service
   * @param {string} format in the engine's template language
   */
  async inspect(service, format) {
    return this.engine.cli(['inspect', '--format', format, await this.container(service)]);
  }

  /**
   * What is published: `3000/tcp -> 127.0.0.1:3000`.
   * @param {string} service
   */
  async ports(service) {
    return this.engine.cli(['port', await this.container(service)]);
  }

  /**
   * Runs a command in a running container.
   * @param {string} service
   * @param {string[]} command
   */
  async exec(service, ...command) {
    return this.engine.cli(['exec', await this.container(service), ...command]);
  }

  /** Starts what the engine has images for, and waits for none of it. */
  async up() {
    const services = (await this.compose('config', '--services')).split('\n');
    await this.compose('up', '-d', ...services.filter((name) => !this.engine.absent.includes(name)));
  }

  /**
   * @param {string} path
   * @param {RequestInit & { node?: string }} [init]
   */
  fetch(path, { node = 'app-1', ...init } = {}) {
    return fetch(this.urls[node] + path, { ...init, signal: AbortSignal.timeout(10_000) });
  }

  /**
   * The status of an answer, 0 where nobody answers.
   * @param {string} path
   * @param {string} [node]
   */
  async status(path, node) {
    const response = await this.fetch(path, node ? { node } : {}).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.status ?? 0;
  }

  /**
   * @param {string} path
   * @param {number} timeoutMs
   * @param {string} [node]
   */
  async answers(path, timeoutMs, node) {
    await until(async () => (await this.status(path, node)) === 200 || undefined, {
      what: `${path} says 200`,
      timeoutMs,
    });
  }

  /**
   * @param {string} service
   * @param {number} timeoutMs
   */
  async healthy(service, timeoutMs) {
    const id = await this.container(service);
    const format = ['inspect', '--format', '{{.State.Health.Status}}', id];
    const isHealthy = async () => (await this.engine.cli(format)) === 'healthy' || undefined;
    await until(isHealthy, { what: `${service} is healthy`, timeoutMs, everyMs: 200 });
  }

  /** @returns {Promise<string[]>} what the engine still has of this project */
  async leftovers() {
    const filter = ['-q', '--filter', `label=com.docker.compose.project=${this.name}`];
    const kinds = [
      ['ps', '-a'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ];
    const lists = await Promise.all(kinds.map((kind) => this.engine.cli([...kind, ...filter])));
    return lists.flatMap((list) => list.split('\n')).filter(Boolean);
  }

  /** The last lines of every container, for people. */
  async logs() {
    const output = await this.engine.compose(['-p', this.name, 'logs', '--no-color', '--tail', '30'], this.env, true);
    return output.replaceAll(this.env.POSTGRES_PASSWORD ?? '', '…');
  }
}
