import { byId, fill, html, widthToDraw } from './dom.js';
import { rate } from './format.js';
import { origins } from './levels.js';
import uPlot from './uplot.js';

/** @typedef {import('../counters.js').Counters} Counters */

const longestMinutes = 5;
const height = 240;

/** Answers per second by the level that gave them, one on top of the other. */
export class AnswersChart {
  #box = byId('answers');
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {readonly Counters[]} */
  #pictures = [];

  constructor() {
    fill(byId('answers-legend'), ...origins.map(({ id, name }) => html('li', { class: id }, name)));
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#box);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
    this.#make();
  }

  /** @param {readonly Counters[]} pictures */
  show(pictures) {
    this.#pictures = pictures;
    this.#plot?.setData(this.#data());
    const last = pictures.at(-1);
    const before = pictures.at(-2);
    if (!last || !before) return;
    const now = perSecond(before, last);
    const told = origins.flatMap(({ name }, at) => ((now[at] ?? 0) > 0 ? [`${name} ${rate(now[at] ?? 0)}`] : []));
    this.#box.setAttribute('aria-label', `Answers per second, by level. Now: ${told.join(', ') || 'none'}.`);
  }

  #size() {
    return { width: widthToDraw(this.#box), height };
  }

  #make() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: colour('muted'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
      font: `12px ${colour('sans')}`,
    };
    // The uppermost layer first: each is drawn over the ones below it.
    const series = origins.toReversed().map(({ id, name }) => ({
      label: name,
      stroke: colour(id),
      fill: colour(id),
      width: 1,
      points: { show: false },
    }));
    this.#plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 20, 0, 0],
        scales: {
          x: { time: false, range: () => [-this.#seconds(), 0] },
          y: { range: (_plot, _min, max) => [0, Math.max(5, max * 1.1)] },
        },
        axes: [
          {
            ...axis,
            size: 28,
            gap: 8,
            values: (_plot, at) => at.map((s) => (s === 0 ? 'now' : s % 60 === 0 ? `${s / 60} min` : `${s} s`)),
            splits: () => quarters(this.#seconds()),
          },
          { ...axis, size: 52, values: (_plot, at) => at.map((n) => rate(n)) },
        ],
        series: [{}, ...series],
      },
      this.#data(),
      this.#box,
    );
  }

  /** What is shown grows with what is known: from one minute to five. */
  #seconds() {
    const first = this.#pictures[0];
    const last = this.#pictures.at(-1);
    const known = first && last ? (last.atMs - first.atMs) / 60_000 : 0;
    return 60 * Math.min(longestMinutes, Math.max(1, Math.ceil(known)));
  }

  /** @returns {import('./uplot.js').AlignedData} */
  #data() {
    const all = this.#pictures;
    const last = all.at(-1);
    const times = last ? all.slice(1).map(({ atMs }) => (atMs - last.atMs) / 1000) : [];
    const layers = all.slice(1).map((to, at) => sums(perSecond(/** @type {Counters} */ (all[at]), to)));
    const columns = origins.map((_, at) => layers.map((layer) => layer[at] ?? 0)).toReversed();
    return [times, ...columns];
  }
}

/** Places for labels: minutes, or parts of the one minute. @param {number} seconds */
function quarters(seconds) {
  const step = seconds === 60 ? 15 : 60;
  return Array.from({ length: seconds / step + 1 }, (_, at) => at * step - seconds);
}

/** @param {Counters} from @param {Counters} to @returns {number[]} by origin */
function perSecond(from, to) {
  const seconds = Math.max(0.001, (to.atMs - from.atMs) / 1000);
  return origins.map(({ id }) => (total(to.answers[id]) - total(from.answers[id])) / seconds);
}

/** @param {{ counts: readonly number[] } | undefined} durations */
const total = (durations) => durations?.counts.reduce((sum, n) => sum + n, 0) ?? 0;

/** @param {readonly number[]} numbers each with all before it */
function sums(numbers) {
  let sum = 0;
  return numbers.map((n) => (sum += n));
}
