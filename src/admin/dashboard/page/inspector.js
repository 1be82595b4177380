import { ask } from './api.js';
import { byId, fill, html } from './dom.js';
import { duration } from './format.js';

/** @typedef {import('../../dto/entry-report.js').EntryReportView} EntryReport */
/** @typedef {import('../../dto/entry-report.js').LevelStateView} LevelState */

/** @type {Record<string, string>} */
const reasons = {
  redis: 'Redis does not answer',
  'no-epoch': 'a new generation is beginning',
  lease: 'no lease',
  strict: 'not used under strict',
  disabled: 'switched off',
};

/** Where something is right now, in which version, and what depends on it. */
export function startInspector() {
  /** @type {HTMLInputElement} */
  const key = byId('key');
  const sight = byId('sight');
  const look = () =>
    ask('GET', `/admin/cache/entries?key=${encodeURIComponent(key.value.trim())}`)
      .then((answer) => answer.json())
      .then(
        (found) => fill(sight, ...picture(found)),
        (/** @type {Error} */ { message }) => fill(sight, html('p', { class: 'fault' }, message)),
      );
  byId('inspect').addEventListener('submit', (event) => {
    event.preventDefault();
    void look();
  });
  return {
    /** @param {string} [name] */
    look(name) {
      if (name !== undefined) key.value = name;
      return look();
    },
  };
}

/** @param {EntryReport} sight */
function picture({ key, policy, database, layers, tags, dependents }) {
  const places = /** @type {const} */ ([
    ['api-l1', 'api L1', 'response, this process', layers.api.l1],
    ['api-l2', 'api L2', 'response, Redis', layers.api.l2],
    ['db-l1', 'db L1', 'value, this process', layers.db.l1],
    ['db-l2', 'db L2', 'value, Redis', layers.db.l2],
  ]);
  return [
    html('p', { class: 'found' }, html('code', {}, key), ' under ', html('strong', {}, policy)),
    html(
      'ol',
      { class: 'places' },
      ...places.map(([id, name, what, place]) => placeOf(id, name, what, place, database?.version)),
      database && databaseOf(database.version),
    ),
    html('h3', {}, 'Stands on'),
    tags === null
      ? html('p', { class: 'hint' }, 'Redis does not answer: the stamps are not known.')
      : html('ul', { class: 'stamps' }, ...tags.map(tagOf)),
    html('h3', {}, 'Depends on it, in this node’s memory'),
    dependents.length === 0
      ? html('p', { class: 'hint' }, 'Nothing that this node keeps would go with a change of it.')
      : html('ul', { class: 'dependents' }, ...dependents.map(dependentOf)),
  ];
}

/**
 * @param {string} id @param {string} name @param {string} what
 * @param {LevelState} place @param {number | null | undefined} current the database's version
 */
function placeOf(id, name, what, place, current) {
  const { mood, text, detail } = says(place, current);
  return html(
    'li',
    { class: `place ${id}`, 'data-mood': mood },
    html('span', { class: 'place-name' }, html('strong', {}, name), html('small', {}, what)),
    html('span', { class: 'place-value' }, html('strong', {}, text), html('small', {}, detail)),
  );
}

/** @param {LevelState} place @param {number | null | undefined} current */
function says({ available, reason, present, valid, version, from, freshMs = 0 }, current) {
  if (!available) return { mood: 'off', text: 'not used', detail: reasons[reason ?? ''] ?? reason };
  if (!present) return { mood: 'off', text: 'not here', detail: 'the next read goes on' };
  const text = version === undefined ? 'here' : version === null ? 'known to be absent' : `version ${version}`;
  if (!valid) return { mood: 'warn', text, detail: 'invalid: it is not served' };
  const came = from === undefined ? '' : from === 'l2' ? ', copied from Redis' : ', made here';
  const left = `${freshMs >= 0 ? 'fresh' : 'stale'} for ${duration(Math.abs(freshMs) / 1000)}${came}`;
  const behind = typeof version === 'number' && typeof current === 'number' && version < current;
  return {
    mood: behind || freshMs < 0 ? 'warn' : 'good',
    text,
    detail: behind ? `${left}, behind the database` : left,
  };
}

/** @param {number | null} version */
const databaseOf = (version) =>
  html(
    'li',
    { class: 'place database', 'data-mood': 'good' },
    html('span', { class: 'place-name' }, html('strong', {}, 'PostgreSQL'), html('small', {}, 'the truth')),
    html(
      'span',
      { class: 'place-value' },
      html('strong', {}, version === null ? 'no such row' : `version ${version}`),
      html('small', {}, 'as committed'),
    ),
  );

/** @param {import('../../dto/entry-report.js').TagView} tag */
const tagOf = ({ tag, stamp, pending }) =>
  html(
    'li',
    {},
    html('code', { class: 'tag' }, tag),
    html(
      'span',
      { class: 'mono muted' },
      stamp === null ? 'no stamp: nothing under it is served' : `stamp ${stamp.slice(0, 8)}…`,
    ),
    pending.length > 0 && html('span', { class: 'badge write' }, `${pending.length} writing`),
  );

/** @param {import('../../dto/entry-report.js').DependentsView} dependents */
const dependentOf = ({ tag, count, keys }) =>
  html(
    'li',
    {},
    html('code', { class: 'tag' }, tag),
    html('span', { class: 'keys' }, ...keys.map((key) => html('code', {}, key)), count > keys.length && html('span', { class: 'muted' }, `and ${count - keys.length} more`)), // prettier-ignore
  );
