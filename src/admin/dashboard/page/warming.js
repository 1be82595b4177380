import { ask } from './api.js';
import { byId } from './dom.js';
import { count, duration } from './format.js';

const lookEveryMs = 250;

/** @typedef {{ id: string, state: string, progress: number, warmed?: number, alreadyCached?: number, refused?: number, seconds?: number, error?: string }} Job */

/** Starts warming jobs, and shows how far they are. */
export function startWarming() {
  /** @type {HTMLProgressElement} */
  const progress = byId('warm-progress');
  const text = byId('warm-text');
  const cancel = byId('warm-cancel');
  let running = '';

  byId('warm').addEventListener('submit', (event) => {
    event.preventDefault();
    const strategy = /** @type {HTMLSelectElement} */ (byId('strategy')).value;
    follow(strategy).catch((/** @type {Error} */ { message }) => (text.textContent = message));
  });
  cancel.addEventListener('click', () => {
    ask('DELETE', `/admin/warming/jobs/${running}`).catch(
      (/** @type {Error} */ { message }) => (text.textContent = message),
    );
  });

  /** @param {string} strategy */
  async function follow(strategy) {
    /** @type {Job} */
    let job = await (await ask('POST', '/admin/warming/jobs', { strategy })).json();
    running = job.id;
    for (cancel.hidden = false; running === job.id;) {
      progress.value = job.progress;
      text.textContent = tell(job);
      if (['completed', 'failed', 'cancelled'].includes(job.state)) break;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
      job = await (await ask('GET', `/admin/warming/jobs/${job.id}`)).json();
    }
    if (running === job.id) cancel.hidden = true;
  }
}

/** @param {Job} job */
function tell({ id, state, progress, warmed = 0, alreadyCached = 0, refused = 0, seconds, error }) {
  const numbers = `${count(warmed)} filled, ${count(alreadyCached)} were fresh already${refused > 0 ? `, ${count(refused)} refused` : ''}`;
  const took = seconds === undefined ? '' : `, ${duration(seconds)}`;
  return `Job ${id}: ${state}, ${progress} %. ${error ?? numbers}${took}.`;
}
