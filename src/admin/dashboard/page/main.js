import { AnswersChart } from './answers.js';
import { byId, fill, html } from './dom.js';
import { Flow } from './flow.js';
import { count, duration } from './format.js';
import { History } from './history.js';
import { startInspector } from './inspector.js';
import { showLatency } from './latency.js';
import { startPolicy } from './policy.js';
import { keepSession } from './session.js';
import { showState } from './state.js';
import { listen } from './stream.js';
import { Timeline } from './timeline.js';
import { startTries } from './tries.js';
import { startWarming } from './warming.js';

/** @typedef {import('../counters.js').Counters} Counters */

const windowMs = 10_000;
const latencyWindowMs = 60_000;

const history = new History();
const flow = new Flow();
const answers = new AnswersChart();
const timeline = new Timeline();
const policy = startPolicy();
const inspector = startInspector();
startTries({ answered: (station) => flow.point(station), done: (key) => void inspector.look(key) });
startWarming();

/** @type {(() => void) | undefined} */
let stopEvents;
const session = keepSession({
  opened: () => {
    const lost = () => void session.check();
    stopEvents = listen('/admin/events', { event: (event) => timeline.hear(event), lost });
    policy.load().catch(() => undefined);
    void inspector.look();
  },
  closed: () => stopEvents?.(),
});

/** @param {'live' | 'lost'} state @param {string} text */
function link(state, text) {
  const element = byId('link');
  if (element.dataset['state'] === state) return;
  element.dataset['state'] = state;
  element.textContent = text;
}

/** Everything that the counters say. */
function draw() {
  const to = history.latest;
  if (!to) return;
  showFlow();
  showState(to);
  answers.show(history.all);
  const recent = history.span(latencyWindowMs);
  const isNew = !recent || total(recent.from) === total(to);
  showLatency(isNew ? undefined : recent.from, to);
  byId('latency-hint').textContent =
    `Time to answer, at the server; ${isNew ? 'since start' : 'last minute'}. Logarithmic.`;
  notes(to);
}

function showFlow() {
  const period = /** @type {HTMLInputElement | null} */ (document.querySelector('input[name=period]:checked'))?.value;
  const span = history.span(windowMs);
  if (span) flow.show(period === 'all' ? undefined : span.from, span.to, span.seconds);
}

/** @param {Counters} counters */
function notes({ loads, invalidations, requests }) {
  const refused = requests.api.l2.refused + requests.db.l2.refused;
  const stale = [requests.api, requests.db].flatMap(({ l1, l2 }) => [l1.stale, l2.stale]).reduce((a, b) => a + b);
  const numbers = /** @type {const} */ ([
    ['Reads that shared a load', count(loads.joined)],
    ['Mean load', loads.count === 0 ? '–' : duration(loads.seconds / loads.count)],
    ['Fills refused', count(refused)],
    ['Served stale, verified', count(stale)],
    ['Invalidations sent', count(Object.values(invalidations).reduce((a, b) => a + b))],
  ]);
  fill(
    byId('flow-notes'),
    ...numbers.map(([name, value]) => html('div', {}, html('dt', {}, name), html('dd', {}, value))),
  );
}

/** Answers of all levels. @param {Counters} counters */
const total = ({ answers: all }) =>
  Object.values(all).reduce((sum, { counts }) => sum + counts.reduce((a, b) => a + b, 0), 0);

for (const radio of document.querySelectorAll('input[name=period]')) radio.addEventListener('change', showFlow);

listen('/dashboard/events', {
  open: () => link('live', 'live'),
  lost: () => link('lost', 'connection lost, trying again'),
  event: (counters) => {
    history.add(counters);
    draw();
    timeline.settle();
    session.known(counters.admin);
    policy.inForce(counters.policies['items']);
  },
});
