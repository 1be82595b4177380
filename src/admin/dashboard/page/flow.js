import { byId, fill, html, svg, widthToDraw } from './dom.js';
import { count, percent, rate } from './format.js';
import { stations, traffic } from './levels.js';

/** @typedef {import('../counters.js').Counters} Counters */

/**
 * One station of the flow, per second or in all.
 * @typedef {{ asked: number, answered: number }} Load
 */

const narrow = 640;
/** Neighbours overlap by so much: no ground shows between them. */
const seam = 0.75;

/** Draws the way of the reads: a band as wide as the reads that arrive, of which each level turns its answers out. */
export class Flow {
  #box = byId('flow');
  /** @type {Counters | undefined} */
  #from;
  /** @type {Counters | undefined} */
  #to;
  #seconds = 0;
  /** @type {{ id: string, atMs: number } | undefined} */
  #called;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#box);
  }

  /** @param {Counters | undefined} from undefined: since the node began @param {Counters} to @param {number} seconds */
  show(from, to, seconds) {
    this.#from = from;
    this.#to = to;
    this.#seconds = seconds;
    this.#draw();
  }

  /** @param {string} id the station that has just answered */
  point(id) {
    this.#called = { id, atMs: performance.now() };
    this.#draw();
  }

  #draw() {
    const to = this.#to;
    if (!to) return;
    const now = traffic(to);
    const before = this.#from && traffic(this.#from);
    const loads = now.map(({ asked, answered }, at) => ({
      asked: asked - (before?.[at]?.asked ?? 0),
      answered: answered - (before?.[at]?.answered ?? 0),
    }));
    const perSecond = this.#from !== undefined;
    const unit = perSecond ? 1 / Math.max(this.#seconds, 1) : 1;
    const shown = loads.map(({ asked, answered }) => ({ asked: asked * unit, answered: answered * unit }));
    const text = (/** @type {number} */ n) => (perSecond ? `${rate(n)}/s` : count(n));
    fill(this.#box, picture(shown, widthToDraw(this.#box), text));
    this.#mark();
    this.#tell(shown, text, perSecond);
  }

  /** The mark goes on fading where it was, however often the picture is drawn meanwhile. */
  #mark() {
    if (!this.#called) return;
    const station = this.#box.querySelector(`[data-station="${this.#called.id}"]`);
    const mark = /** @type {SVGElement | null | undefined} */ (station?.querySelector('.mark'));
    station?.classList.add('called');
    mark?.style.setProperty('animation-delay', `${this.#called.atMs - performance.now()}ms`);
  }

  /** @param {Load[]} loads @param {(n: number) => string} text @param {boolean} perSecond */
  #tell(loads, text, perSecond) {
    const empty = byId('flow-empty');
    empty.hidden = loads.some(({ asked }) => asked > 0);
    empty.textContent = perSecond
      ? 'No reads in the last ten seconds. Send some to /items, or sign in and read an item below.'
      : 'No reads since this node began.';
    fill(
      /** @type {Element} */ (byId('flow-table').querySelector('tbody')),
      ...loads.map(({ asked, answered }, at) =>
        html(
          'tr',
          {},
          html('th', { scope: 'row' }, stations[at]?.name),
          html('td', {}, text(asked)),
          html('td', {}, text(answered)),
          html('td', {}, stations[at]?.id === 'database' ? '' : percent(asked > 0 ? answered / asked : undefined)),
        ),
      ),
    );
  }
}

/**
 * @param {Load[]} loads
 * @param {number} width
 * @param {(n: number) => string} text
 */
function picture(loads, width, text) {
  const upright = width < narrow;
  const most = Math.max(...loads.map(({ asked }) => asked), 1e-9);
  const step = upright ? 84 : width / loads.length;
  const thickest = upright ? 72 : Math.min(84, step * 0.5);
  const place = upright ? { begin: 8, exit: 118 } : { begin: 58, exit: 176 };
  const length = step * loads.length;
  // In either direction: `along` the way, `across` it.
  const at = (/** @type {number} */ along, /** @type {number} */ across) => (upright ? `${across},${along}` : `${along},${across}`); // prettier-ignore
  const thickness = (/** @type {number} */ n) => (n > 0 ? Math.max(2, (n / most) * thickest) : 0);

  const shapes = loads.flatMap(({ asked, answered }, i) => {
    const tone = stations[i]?.id;
    const from = i * step;
    const gate = from + step * (upright ? 0.3 : 0.28);
    const enters = thickness(asked);
    const leaves = Math.min(thickness(answered), enters);
    const next = thickness(loads[i + 1]?.asked ?? 0);
    const { begin, exit } = place;
    const turn = gate + 16;
    const parts = [
      svg('path', { class: 'rail', d: `M${at(from, begin)} L${at(Math.min(from + step, length), begin)}` }),
    ];
    if (enters > 0) parts.push(svg('path', { class: 'band', d: band(at, from, gate, begin, enters, enters) }));
    if (next > 0 && i + 1 < loads.length)
      parts.push(
        svg('path', { class: 'band', d: band(at, gate, from + step, begin, Math.max(enters - leaves, 2), next) }),
      );
    if (leaves > 0)
      parts.push(svg('path', { class: `answers ${tone}`, d: turnOut(at, gate, turn, leaves, begin + enters - leaves, begin + enters, exit) })); // prettier-ignore
    return parts;
  });
  const labels = loads.map((load, i) => label(load, i, { upright, step, exit: place.exit, width, text }));
  const height = upright ? length + 8 : 262;
  return svg(
    'svg',
    { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', focusable: 'false' },
    ...shapes,
    ...labels,
  );
}

/**
 * @param {Load} load
 * @param {number} i
 * @param {{ upright: boolean, step: number, exit: number, width: number, text: (n: number) => string }} place
 */
function label({ asked, answered }, i, { upright, step, exit, width, text }) {
  const station = /** @type {typeof stations[number]} */ (stations[i]);
  const isLast = station.id === 'database';
  const ratio = isLast ? text(answered) : percent(asked > 0 ? answered / asked : undefined);
  const detail = isLast ? 'loads' : `${text(answered)} of ${text(asked)}`;
  const x = upright ? exit + 12 : i * step;
  const y = i * step;
  const texts = upright
    ? [
        svg('text', { class: 'name', x, y: y + 24 }, station.name),
        svg('text', { class: 'what', x, y: y + 43 }, detail),
        svg('text', { class: 'ratio', x: width - 2, y: y + 36, 'text-anchor': 'end' }, ratio),
      ]
    : [
        svg('text', { class: 'name', x: x + 2, y: 18 }, station.name),
        svg('text', { class: 'what', x: x + 2, y: 37 }, station.what),
        svg('text', { class: 'ratio', x: x + step * 0.28, y: 214 }, ratio),
        svg('text', { class: 'what', x: x + step * 0.28, y: 236 }, detail),
      ];
  const mark = svg('rect', {
    class: 'mark',
    x: x - 8,
    y: upright ? y + 4 : -2,
    width: upright ? width - x + 8 : Math.min(step - 8, 190),
    height: 50,
    rx: 8,
  });
  return svg('g', { class: `station ${station.id}`, 'data-station': station.id }, mark, ...texts);
}

/** @typedef {(along: number, across: number) => string} At */

/** A stretch of the band, from one thickness to another. @param {At} at @param {number} from @param {number} to @param {number} begin @param {number} thick @param {number} thin */
function band(at, from, to, begin, thick, thin) {
  const middle = (from + to) / 2;
  return `M${at(from, begin)} L${at(to + seam, begin)} L${at(to + seam, begin + thin)} L${at(to, begin + thin)} C${at(middle, begin + thin)} ${at(middle, begin + thick)} ${at(from, begin + thick)} Z`;
}

/** What is answered here turns out of the band. @param {At} at @param {number} gate @param {number} turn @param {number} wide @param {number} near @param {number} far @param {number} exit */
function turnOut(at, gate, turn, wide, near, far, exit) {
  const outer = turn + wide;
  return (
    `M${at(gate, near)} C${at(gate + (outer - gate) * 0.55, near)} ${at(outer, near + (exit - near) * 0.2)} ${at(outer, exit)} ` +
    `L${at(turn, exit)} C${at(turn, far + (exit - far) * 0.2)} ${at(gate + (turn - gate) * 0.55, far)} ${at(gate, far)} Z`
  );
}
