// @ts-check
import { without } from '../without.mjs';

/*
 * Redis: one data set, and the scripts of the protocol, each of them one atomic step. What they decide, the product's own
 * decision functions decide; this file only moves state.
 * Not modelled: Cluster, expiry by the clock (a hash may be lost at any moment instead), codecs, `until`.
 */

/** @typedef {import('../../src/cache/core/decisions.js').TagState} TagState */
/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */
/** @typedef {import('../../src/cache/core/decisions.js').Beginning} Beginning */
/** @typedef {import('../protocol.mjs').Protocol} Protocol */
/** @typedef {'row' | 'coarse'} Name */

/**
 * @typedef {object} DataSet
 * @property {string} id distinguishes the stamps of two servers
 * @property {number} fresh how many stamps it has made
 * @property {number} gen the record's generation; 0: there is no record
 * @property {Beginning} beginning of the generation
 * @property {string} identity of the servers, as recorded
 * @property {number} init nonce of who is installing a generation; 0: nobody
 * @property {TagState} [row]
 * @property {TagState} [coarse]
 */

/** @typedef {{ readonly stamp: string, readonly coarse: string }} Stamps */

/**
 * @template A
 * @typedef {readonly [set: DataSet, answer: A]} Ran
 */

/** @param {string} id @returns {DataSet} */
export const emptySet = (id) => ({
  id,
  fresh: 0,
  gen: 0,
  beginning: { epoch: 0, writers: [] },
  identity: '',
  init: 0,
});

/** @param {Protocol} protocol */
export function scriptsOf({ decisions }) {
  const { freshTag, rowIsServable, refuseRowFill, filledRow, fenced } = decisions;

  /** @param {DataSet} set @param {Name} name @param {(tag: TagState | undefined, stamp: string) => TagState} change */
  const change = (set, name, change) =>
    /** @type {DataSet} */ ({ ...set, fresh: set.fresh + 1, [name]: change(set[name], set.id + set.fresh) });

  /** @param {DataSet} set @param {Name} name creates the tag where it is missing */
  const ensure = (set, name) => (set[name] ? set : change(set, name, (_, stamp) => freshTag(stamp)));

  /** @param {DataSet} set @param {Name} name @returns {TagState} */
  const tagOf = (set, name) => /** @type {TagState} */ (set[name]);

  /**
   * GET: a hit, or a ticket.
   * @param {DataSet} before @param {string} nonce @param {boolean} [renew] a ticket, whatever is there
   * @returns {Ran<{ readonly hit?: number }>}
   */
  function getRow(before, nonce, renew = false) {
    const set = ensure(before, 'coarse');
    const coarse = tagOf(set, 'coarse');
    if (!renew && set.row?.value && rowIsServable(set.row, coarse)) {
      return [set, { hit: Number(set.row.value.body) }];
    }
    const known = ensure(set, 'row');
    const row = tagOf(known, 'row');
    const tickets = { ...row.tickets, [nonce]: coarse.stamp };
    return [{ ...known, row: { ...row, tickets } }, {}];
  }

  /**
   * FILL.
   * @param {DataSet} set @param {string} nonce @param {Snapshot} snapshot @param {number} value
   * @returns {Ran<boolean>}
   */
  function fillRow(set, nonce, snapshot, value) {
    const { row, coarse } = set;
    if (refuseRowFill(row, coarse, nonce, snapshot, set.beginning)) {
      if (row?.tickets[nonce] === undefined) return [set, false];
      const tickets = without(row.tickets, nonce);
      return [{ ...set, row: { ...row, tickets } }, false];
    }
    return [filled(set, value, snapshot), true];
  }

  /** @param {DataSet} set @param {number} value @param {Snapshot} snapshot @returns {DataSet} */
  function filled(set, value, snapshot) {
    const [row, coarse] = [tagOf(set, 'row'), tagOf(set, 'coarse')];
    const kept = filledRow(row, String(value), coarse.stamp, snapshot);
    return { ...set, row: kept, coarse: coarse.pend.length === 0 ? coarse : { ...coarse, pend: [] } };
  }

  /**
   * FENCE.
   * @param {DataSet} before @param {readonly Name[]} names @param {number} xid @param {number} xmin
   * @returns {Ran<true>}
   */
  function fence(before, names, xid, xmin) {
    let set = before;
    for (const name of names) set = change(set, name, (tag, stamp) => fenced(tag, xid, xmin, stamp));
    return [set, true];
  }

  /** @param {DataSet} set what is kept under these stamps may still be served @param {Stamps} stamps */
  const confirms = (set, { stamp, coarse }) => decisions.holds(set.row, stamp) && decisions.holds(set.coarse, coarse);

  /** @param {DataSet} set @param {Name} name @param {number} xid @returns {DataSet} */
  const rolledBack = (set, name, xid) => {
    const tag = set[name];
    return tag ? { ...set, [name]: decisions.withoutPending(tag, xid) } : set;
  };

  /** @param {DataSet} set @param {Name} name an operator's word @returns {DataSet} */
  const invalidate = (set, name) => change(set, name, (tag, stamp) => decisions.invalidated(tag, stamp));

  /** A whole fill of some other row, at once: it clears the coarse tag's writers. @param {DataSet} set @param {Snapshot} snapshot */
  const settleCoarse = (set, snapshot) =>
    set.coarse && decisions.provenFor(set.coarse, snapshot) ? { ...set, coarse: { ...set.coarse, pend: [] } } : set;

  return { getRow, fillRow, fence, confirms, rolledBack, invalidate, settleCoarse };
}

/** The stamps that come with a row's value. @param {DataSet} set @returns {Stamps} */
export const stampsOf = ({ row, coarse }) => ({ stamp: row?.stamp ?? '', coarse: coarse?.stamp ?? '' });

/** @param {TagState | undefined} tag without its stamp: who refers to one says whether it is the current one */
export const tagKey = (tag) => (tag ? `${tag.pend.join()}/${tag.fence.join()}/${tag.ff}` : '-');

/** @param {Beginning} beginning */
export const beginningKey = ({ epoch, writers }) => `${epoch}<${writers.join()}`;

/** @param {DataSet} set */
export function setKey({ gen, beginning, identity, init, row, coarse }) {
  const value = row?.value ? row.value.body + (row.value.coarse === coarse?.stamp ? '' : 'x') : '';
  return `${gen},${beginningKey(beginning)},${identity},${init};${tagKey(row)};${value};${tagKey(coarse)}`;
}
