import { byId, fill, html, size } from './dom.js';
import { bytes, count, duration } from './format.js';

/** @typedef {import('../counters.js').Counters} Counters */
/** @typedef {'good' | 'warn' | 'bad' | 'off'} Mood */
/** @typedef {{ name: string, value: string, detail: string, mood: Mood, share?: number }} Tile */

/** How the parts of this node are. @param {Counters} counters */
export function showState(counters) {
  fill(byId('state'), ...tiles(counters).map(tile));
}

/** @param {Tile} tile */
const tile = ({ name, value, detail, mood, share }) =>
  html(
    'li',
    { class: 'tile', 'data-mood': mood },
    html('span', { class: 'tile-name' }, name),
    html('strong', {}, value),
    share !== undefined && size(html('span', { class: 'share' }), { '--share': String(Math.min(1, share)) }),
    html('span', { class: 'tile-detail' }, detail),
  );

/** @param {Counters} counters @returns {Tile[]} */
function tiles({ l1, l2, journal, feed, queue, policies, state, upSeconds, workers }) {
  return [
    {
      name: 'Node',
      value: state,
      detail: `up for ${duration(Math.max(1, upSeconds))}${summed(workers)}`,
      mood: state === 'ready' ? 'good' : 'warn',
    },
    l1.enabled
      ? {
          name: 'Lease of L1',
          value: l1.leaseValid ? 'valid' : 'lost',
          detail: l1.leaseValid ? 'hears every invalidation' : 'L1 serves nothing until it is back',
          mood: l1.leaseValid ? 'good' : 'bad',
        }
      : { name: 'Lease of L1', value: 'off', detail: 'CACHE_L1 is off', mood: 'off' },
    {
      name: 'L1 memory',
      value: bytes(l1.bytes),
      detail: `of ${bytes(l1.maxBytes)}, ${count(l1.entries)} entries`,
      mood: 'good',
      share: l1.bytes / l1.maxBytes,
    },
    redis(l2),
    feedTile(feed),
    {
      name: 'Journal',
      value: journal.entries === 0 ? 'empty' : count(journal.entries),
      detail: journal.entries === 0 ? 'every invalidation delivered' : 'invalidations wait for Redis',
      mood: journal.entries === 0 ? 'good' : 'bad',
    },
    queue
      ? {
          name: 'Warming queue',
          value: queue.active + queue.waiting === 0 ? 'idle' : `${count(queue.active)} active`,
          detail: `${count(queue.waiting + queue.delayed)} waiting, ${count(queue.failed)} failed`,
          mood: queue.failed > 0 ? 'warn' : 'good',
        }
      : { name: 'Warming queue', value: 'away', detail: 'there is no queue without Redis', mood: 'off' },
    {
      name: 'Policy',
      value: Object.values(policies).join(', '),
      detail: `of ${Object.keys(policies).join(', ')}`,
      mood: 'good',
    },
  ];
}

/** @param {Counters['workers']} workers */
const summed = (workers) => (workers.length > 0 ? `; workers ${workers.join(', ')} added up` : '');

/** @param {Counters['l2']} l2 @returns {Tile} */
function redis({ enabled, breaker }) {
  if (!enabled) return { name: 'Redis (L2)', value: 'off', detail: 'CACHE_L2 is off', mood: 'off' };
  const says = /** @type {const} */ ({
    closed: ['in use', 'breaker closed', 'good'],
    'half-open': ['being tried', 'breaker half-open', 'warn'],
    open: ['away', 'breaker open: reads go past it', 'bad'],
  })[breaker];
  return { name: 'Redis (L2)', value: says[0], detail: says[1], mood: says[2] };
}

/** @param {Counters['feed']} feed @returns {Tile} */
function feedTile({ state, lagSeconds }) {
  /** @type {Record<string, [string, Mood]>} */
  const says = {
    off: ['SQL from elsewhere is seen by its TTL', 'off'],
    unsupported: ['PostgreSQL is not set up for it: see /health', 'warn'],
    starting: ['no change is heard yet', 'warn'],
    standby: ['another node reads it', 'good'],
    leading: [`this node reads it, ${duration(lagSeconds ?? 0)} behind`, (lagSeconds ?? 0) > 5 ? 'warn' : 'good'],
  };
  const [detail, mood] = says[state] ?? ['', 'off'];
  return { name: 'Change feed', value: state, detail, mood };
}
