// @ts-check
import { cutOffMs, longestLifeMs } from '../../verify/checker/history.mjs';
import { duration } from './format.mjs';

/** @typedef {import('../../verify/checker/history.mjs').Settings} Settings */
/** What a write does, what a reader can rely on, and when to choose it. @typedef {{ write: string, reader: string, choose: string }} Words */

/** @param {Settings} settings @returns {Record<import('../../verify/checker/history.mjs').Policy, Words>} */
export function words(settings) {
  const life = duration(longestLifeMs(settings));
  const unheard = duration(cutOffMs(settings));
  return {
    ttl: {
      write: 'A write changes the row and tells nobody: what is cached stays until its time is over.',
      reader: `Any answer of any node may be old, by up to TTL, jitter and stale window together: here ${life}.`,
      choose: 'Choose it where an answer of that age does no harm, and nothing should depend on anything being told.',
    },
    invalidate: {
      write:
        'After COMMIT and before it is answered, a write marks its row and lists as changed, and every node drops them.',
      reader: `A read after an answered write is not older than it; a node that cannot hear serves its memory on for at most a lease and a deadline: here ${unheard}.`,
      choose: 'Choose it where much is written that nobody reads soon after.',
    },
    'write-through': {
      write: 'As with invalidate, and in the same step the new row is put into Redis.',
      reader: `The same as with invalidate (at most ${unheard} on a node that cannot hear), and the next read of the row finds it in the cache.`,
      choose: 'Choose it if in doubt: it is the default, and the answers after a write are the quickest.',
    },
    strict: {
      write: 'Before COMMIT, a write bars the old value from being read or stored; without Redis it fails with 503.',
      reader: 'Nobody ever sees anything older than what anybody has seen, through crashes, partitions and flushes.',
      choose:
        'Choose it for what decisions are made on (stock, balances, rights), and pay with a way to Redis for each read.',
    },
  };
}
