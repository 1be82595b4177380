// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leash } from '../scripts/services/leash.mjs';
import { signalTo } from '../scripts/services/process.mjs';
import { recordsIn, rememberLeashed } from '../scripts/services/records.mjs';
import { nodeFlags } from '../scripts/start/node-flags.mjs';

/** @typedef {import('../scripts/services/leash.mjs').Leashed} Leashed */

/** A limit for what hangs. */
const readyMs = 240_000;

/**
 * One node of the service: a process of its own, on a leash, so that it ends with us however we end. (Hence the line that
 * says where it listens comes from its log; a leashed process has no IPC channel.)
 */
export class NodeProcess {
  /** @type {Leashed | undefined} */
  #process;
  /** @type {URL | undefined} */
  #url;
  #lives = 0;
  #expected = true;

  /** @param {{ index: number, folder: string, dist: string, env: NodeJS.ProcessEnv, preload?: string | undefined, onCrash: (node: NodeProcess, log: string) => void }} options */
  constructor(options) {
    this.options = options;
    this.index = options.index;
  }

  /** Where it listens; undefined while it does not run. */
  get url() {
    return this.#url;
  }

  get log() {
    return join(this.options.folder, `node-${this.index}.${this.#lives}.log`);
  }

  async start() {
    const { folder, dist, env, index, preload } = this.options;
    this.#lives += 1;
    const { log } = this;
    const entry = join(dist, 'src', 'main.js');
    const flags = preload === undefined ? nodeFlags : [...nodeFlags, '--import', preload];
    const process = await leash(globalThis.process.execPath, [...flags, entry], {
      onEnd: 'SIGKILL',
      log,
      cwd: folder,
      env,
    });
    rememberLeashed(recordsIn(folder), { name: `node-${index}`, signal: 'SIGKILL' }, process);
    this.#process = process;
    // Whoever starts it hears of an end before it is ready.
    this.#expected = true;
    void process.exited.then(() => {
      if (this.#process !== process || this.#expected) return;
      this.#url = undefined;
      this.options.onCrash(this, tail(log));
    });
    this.#url = await this.#ready(process, log);
    this.#expected = false;
  }

  async kill() {
    this.#expected = true;
    this.#url = undefined;
    await this.#process?.stop(['SIGKILL'], 5_000);
  }

  /** SIGTERM; resolves once it has ended. */
  async terminate() {
    this.#expected = true;
    await this.#process?.stop(['SIGTERM'], readyMs);
    this.#url = undefined;
  }

  pause() {
    if (this.#process) signalTo(this.#process.identity, 'SIGSTOP');
  }

  resume() {
    if (this.#process) signalTo(this.#process.identity, 'SIGCONT');
  }

  /** @param {Leashed} process @param {string} log */
  async #ready(process, log) {
    const giveUpAtMs = performance.now() + readyMs;
    while (process.running() && performance.now() < giveUpAtMs) {
      const url = /^ready url=(\S+)$/m.exec(readFileSync(log, 'utf8'))?.[1];
      if (url) return new URL(url);
      await sleep(20);
    }
    throw new Error(`node ${this.index} does not start:\n${tail(log)}`);
  }
}

/** @param {string} log */
const tail = (log) => readFileSync(log, 'utf8').trim().slice(-2_000);
