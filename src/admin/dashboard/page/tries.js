import { ask } from './api.js';
import { byId, html } from './dom.js';
import { duration } from './format.js';
import { stations } from './levels.js';

const kept = 6;

/** Reads, writes and invalidations of one item, by hand. @param {{ answered: (station: string) => void, done: (key: string) => void }} told */
export function startTries({ answered, done }) {
  /** @type {HTMLInputElement} */
  const id = byId('item-id');
  const list = byId('tries');
  const actions = { read, write, invalidate };

  byId('item').addEventListener('submit', (event) => {
    event.preventDefault();
    const { submitter } = /** @type {SubmitEvent} */ (event);
    const name = /** @type {keyof typeof actions} */ (submitter?.getAttribute('value') ?? 'read');
    const path = `/items/${id.value.trim()}`;
    actions[name](path)
      .then(
        ({ title, detail, from }) => {
          if (from) answered(from);
          tell(title, detail, from);
        },
        (/** @type {Error} */ { message }) => tell(`${name} ${path}`, message, 'fault'),
      )
      .finally(() => done(path));
  });

  /** @param {string} title @param {string | Node} detail @param {string} [tone] */
  function tell(title, detail, tone = '') {
    list.prepend(html('li', { class: tone }, html('strong', {}, title), html('span', {}, detail)));
    while (list.children.length > kept) list.lastElementChild?.remove();
  }
}

/** @typedef {{ title: string, detail: string | Node, from?: string }} Told */

/** @param {string} path @returns {Promise<Told>} */
async function read(path) {
  const beganMs = performance.now();
  const answer = await ask('GET', path);
  const item = await answer.json();
  const took = duration((performance.now() - beganMs) / 1000);
  const from = stationOf(answer.headers.get('Cache-Status') ?? '');
  return { title: `Read: version ${item.version}`, detail: wayTo(from, took), from };
}

/** One more in stock, unless somebody else has changed it meanwhile. @param {string} path @returns {Promise<Told>} */
async function write(path) {
  const read = await ask('GET', path);
  const { name, description, category, price, quantity } = await read.json();
  const body = { name, description, category, price, quantity: quantity + 1 };
  const answer = await ask('PUT', path, body, { 'If-Match': read.headers.get('ETag') ?? '*' });
  const item = await answer.json();
  return { title: `Written: version ${item.version}`, detail: `quantity ${quantity} → ${item.quantity}` };
}

/** @param {string} path @returns {Promise<Told>} */
async function invalidate(path) {
  const answer = await ask('POST', '/admin/cache/invalidate', { keys: [path] });
  const { tags } = await answer.json();
  return { title: 'Invalidated', detail: html('code', { class: 'tag' }, tags.join(', ')) };
}

/** Which station answered. @param {string} status of `Cache-Status` @see RFC 9211 */
function stationOf(status) {
  const [, layer, level] =
    /strata-(api); hit;[^,]*?detail=(l[12])/.exec(status) ?? /strata-(db); hit;[^,]*?detail=(l[12])/.exec(status) ?? [];
  return layer && level ? `${layer}-${level}` : 'database';
}

/** @param {string} from @param {string} took */
function wayTo(from, took) {
  const last = stations.findIndex(({ id }) => id === from);
  const way = stations.slice(0, last + 1).map(({ id, name }, at) => html('span', { class: `step ${id}${at === last ? ' gave' : ''}` }, name)); // prettier-ignore
  return html('span', { class: 'way' }, ...way, html('small', {}, took));
}
