// @ts-check
import { createRequire } from 'node:module';
import { sep } from 'node:path';

const { default: TestSequencer } = createRequire(import.meta.url)('@jest/test-sequencer');
const processes = `${sep}test${sep}process${sep}`;

/**
 * Jest's own order, the slowest file first, with two exceptions. Each worker begins with a quick file, which waits for the
 * servers of the worker to start. Files that start processes of the service come one at a time: each process needs a
 * processor for some seconds, and several at once would wait for each other.
 */
export default class Sequencer extends TestSequencer {
  /** @param {{ readonly globalConfig: { readonly maxWorkers: number } }} options */
  constructor(options) {
    super(options);
    this.maxWorkers = options.globalConfig.maxWorkers;
  }

  /** @param {readonly { readonly path: string }[]} tests */
  sort(tests) {
    const slowestFirst = [...super.sort(tests)];
    const withServers = slowestFirst.filter(({ path }) => path.endsWith('.e2e-spec.ts') && !path.includes(processes));
    const first = withServers.slice(-this.maxWorkers);
    const others = slowestFirst.filter((test) => !test.path.includes(processes) && !first.includes(test));
    const spread = slowestFirst
      .filter(({ path }) => path.includes(processes))
      .flatMap((test) => [test, ...others.splice(0, this.maxWorkers - 1)]);
    return [...first, ...spread, ...others];
  }
}
