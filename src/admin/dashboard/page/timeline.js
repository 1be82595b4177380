import { byId, fill, html, size } from './dom.js';
import { clock, count } from './format.js';
import { Incidents } from './incidents.js';

/** @typedef {import('./incidents.js').Incident} Incident */

const shownRows = 14;
const shownTags = 4;
const shownNodes = 5;
/** The bar of a drop that took so long is full, in seconds. */
const longest = 0.1;

/** The invalidations as they happen, on every node. */
export class Timeline {
  #box = byId('timeline');
  #pause = byId('pause');
  #incidents = new Incidents();
  #own = '';
  #drawing = false;

  constructor() {
    this.#pause.addEventListener('click', () => {
      const pressed = this.#pause.getAttribute('aria-pressed') !== 'true';
      this.#pause.setAttribute('aria-pressed', String(pressed));
      if (!pressed) this.#draw();
    });
    this.#draw();
  }

  /** @param {any} event of the stream */
  hear(event) {
    if (event.type === 'node') {
      this.#own = event.node;
      this.#incidents.meet(event.node);
      return this.#draw();
    }
    const heard = event.type === 'elsewhere' ? event.notices : [event];
    const node = event.type === 'elsewhere' ? event.node : this.#own;
    const changed = heard.filter((/** @type {any} */ one) => this.#incidents.hear(node, one));
    if (changed.length > 0) this.#soon();
  }

  /** To be called now and then. */
  settle() {
    if (this.#incidents.settle()) this.#soon();
  }

  /** However many events come at once, the page is drawn once. */
  #soon() {
    if (this.#drawing || this.#pause.getAttribute('aria-pressed') === 'true') return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw() {
    const { all, nodes } = this.#incidents;
    if (all.length === 0)
      return fill(
        this.#box,
        html(
          'p',
          { class: 'empty' },
          'Nothing has been invalidated since you signed in. Write an item, here or from anywhere.',
        ),
      );
    const columns = nodes.slice(0, shownNodes);
    const head = html(
      'tr',
      {},
      html('th', { scope: 'col' }, 'Sent'),
      html('th', { scope: 'col' }, 'By'),
      html('th', { scope: 'col' }, 'What'),
      ...columns.map((node) => html('th', { scope: 'col' }, 'Dropped on ', html('span', { class: 'mono' }, node), node === this.#own && html('span', { class: 'own' }, 'this node'))), // prettier-ignore
    );
    fill(
      this.#box,
      html(
        'table',
        { class: 'timeline' },
        html('caption', { class: 'unseen' }, 'Invalidations, newest first'),
        html('thead', {}, head),
        html('tbody', {}, ...all.slice(0, shownRows).map((incident) => row(incident, columns))),
      ),
    );
  }
}

/** @param {Incident} incident @param {string[]} nodes */
function row({ atMs, source, writer, tags, drops, text }, nodes) {
  const time = html('td', { class: 'mono when' }, clock(atMs));
  if (text)
    return html(
      'tr',
      { class: 'note' },
      time,
      html('td', {}, badge('state', writer)),
      html('td', { colspan: nodes.length + 1 }, text),
    );
  return html(
    'tr',
    {},
    time,
    html('td', {}, source ? badge(source, writer) : html('span', { class: 'muted' }, '…')),
    html('td', { class: 'tags' }, ...labels(tags)),
    ...nodes.map((node) => drop(node, drops)),
  );
}

/** @param {string} source @param {string | undefined} writer */
const badge = (source, writer) =>
  html('span', { class: 'by' }, html('span', { class: `badge ${source}` }, source), writer && html('span', { class: 'mono muted' }, writer)); // prettier-ignore

/** @param {readonly string[]} tags */
function labels(tags) {
  if (tags.length === 0) return [html('span', { class: 'tag' }, 'everything')];
  const some = tags.slice(0, shownTags).map((tag) => html('code', { class: 'tag' }, tag));
  return tags.length > shownTags
    ? [...some, html('span', { class: 'muted' }, `and ${tags.length - shownTags} more`)]
    : some;
}

/** @param {string} node @param {Incident['drops']} drops */
function drop(node, drops) {
  if (!drops.has(node)) return html('td', { class: 'drop muted', 'data-node': node }, '–');
  const seconds = drops.get(node);
  if (seconds === undefined) return html('td', { class: 'drop', 'data-node': node }, 'dropped');
  const share = Math.max(0.02, Math.min(1, seconds / longest));
  const bar = size(html('span', { class: seconds > longest ? 'bar late' : 'bar' }), { '--share': String(share) });
  return html('td', { class: 'drop', 'data-node': node }, html('span', { class: 'took' }, seconds < 0.001 ? '< 1 ms' : `${count(seconds * 1000)} ms`), bar); // prettier-ignore
}
