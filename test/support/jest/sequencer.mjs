// @ts-check
import { createRequire } from 'node:module';
import { sep } from 'node:path';

const { default: TestSequencer } = createRequire(import.meta.url)('@jest/test-sequencer');
const processes = `${sep}test${sep}process${sep}`;
/** As many files run at a time on two cores. */
const stride = 4;

/**
 * Jest's own order, the slowest file first, but for files that start processes of the service: each of those takes some seconds
 * of a processor. They are spread, so that they do not all wait for each other at the beginning.
 */
export default class Sequencer extends TestSequencer {
  /** @param {readonly { readonly path: string }[]} tests */
  sort(tests) {
    const sorted = [...super.sort(tests)];
    const heavy = sorted.filter(({ path }) => path.includes(processes));
    const others = sorted.filter(({ path }) => !path.includes(processes));
    return heavy
      .flatMap((one, at) => [one, ...others.slice((stride - 1) * at, (stride - 1) * (at + 1))])
      .concat(others.slice((stride - 1) * heavy.length));
  }
}
