// @ts-check
import cliProgress from 'cli-progress';

/** Without a terminal there is one line for so many per cent. */
const lineEvery = 10;

/**
 * Shows a job's progress: a bar on a terminal, lines anywhere else.
 * @param {NodeJS.WriteStream} out
 */
export function progressOf(out) {
  return out.isTTY ? bar() : lines();
}

function bar() {
  const format = '{state} [{bar}] {percentage} % | {warmed} warmed, {cached} already cached';
  const shown = new cliProgress.SingleBar({ format, hideCursor: true }, cliProgress.Presets.shades_classic);
  let started = false;
  return {
    /** @param {import('./service.mjs').Job} job */
    show({ state, progress, warmed = 0, alreadyCached = 0 }) {
      const payload = { state: state.padEnd(9), warmed, cached: alreadyCached };
      if (started) shown.update(progress, payload);
      else shown.start(100, progress, payload);
      started = true;
    },
    end: () => shown.stop(),
  };
}

function lines() {
  let next = 0;
  let last = '';
  return {
    /** @param {import('./service.mjs').Job} job */
    show({ state, progress, warmed = 0, alreadyCached = 0 }) {
      if (progress < next && state === last) return;
      console.log(`${state} ${progress} %: ${warmed} warmed, ${alreadyCached} already cached`);
      next = (Math.floor(progress / lineEvery) + 1) * lineEvery;
      last = state;
    },
    end: () => undefined,
  };
}
