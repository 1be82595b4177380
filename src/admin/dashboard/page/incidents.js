/**
 * One invalidation, or something else that happened to a node.
 * @typedef {object} Incident
 * @property {number} atMs wall clock
 * @property {readonly string[]} tags
 * @property {string} [source] who caused it: write, feed, admin, journal
 * @property {string} [writer] the node that sent it
 * @property {Map<string, number | undefined>} drops seconds until it was dropped, by node
 * @property {string} [text] what happened, where it is no invalidation
 */

const kept = 200;
/** A message and the word of whoever sent it belong together if they come within this time, in ms. */
const togetherMs = 5_000;
/** Of very many tags, other nodes tell only so many. */
const comparedTags = 20;

/**
 * Puts together what the nodes tell one by one. The drops of one invalidation on all nodes bear the time and the tags that
 * it was sent with; who sent it is told apart, by the node that did.
 */
export class Incidents {
  /** Newest first. @type {Incident[]} */
  all = [];
  /** This one first. @type {string[]} */
  nodes = [];

  /** @param {string} node @param {any} event @param {number} [nowMs] @returns {boolean} whether there is anything to show */
  hear(node, event, nowMs = Date.now()) {
    if (event.type === 'dropped') return this.#dropped(node, event);
    if (event.type === 'invalidated') return this.#invalidated(node, event, nowMs);
    if (event.type === 'cleared') return this.#cleared(node, nowMs);
    const text = tellingOf(event);
    if (text) this.#add({ atMs: nowMs, tags: [], drops: new Map(), writer: node, text });
    return text !== undefined;
  }

  /** @param {string} node */
  meet(node) {
    if (!this.nodes.includes(node)) this.nodes.push(node);
  }

  /** @param {string} node @param {{ tags: string[], seconds: number, sentAtMs: number }} event */
  #dropped(node, { tags, seconds, sentAtMs }) {
    this.meet(node);
    const compared = tags.slice(0, comparedTags);
    const known = this.all.find((one) => one.atMs === sentAtMs && !one.text && same(one.tags, compared));
    if (known) known.drops.set(node, seconds);
    else this.#add({ atMs: sentAtMs, tags: compared, drops: new Map([[node, seconds]]) });
    return true;
  }

  /** @param {string} node @param {{ source: string, tags: string[] }} event @param {number} nowMs */
  #invalidated(node, { source, tags }, nowMs) {
    this.meet(node);
    const sent = this.all.filter(
      (one) => !one.source && !one.text && nowMs - one.atMs < togetherMs && isPart(one.tags, tags),
    );
    for (const one of sent) Object.assign(one, { source, writer: node });
    if (sent.length === 0) this.#add({ atMs: nowMs, tags: tags.slice(0, comparedTags), source, writer: node, drops: new Map() }); // prettier-ignore
    return true;
  }

  /** A new generation: one row for all nodes. @param {string} node @param {number} nowMs */
  #cleared(node, nowMs) {
    this.meet(node);
    const known = this.all.find((one) => !one.text && one.tags.length === 0 && nowMs - one.atMs < togetherMs);
    if (known) known.drops.set(node, undefined);
    else this.#add({ atMs: nowMs, tags: [], drops: new Map([[node, undefined]]) });
    return true;
  }

  /** @param {Incident} incident */
  #add(incident) {
    this.all.unshift(incident);
    this.all.splice(kept);
  }
}

/** @param {readonly string[]} a @param {readonly string[]} b */
const same = (a, b) => a.length === b.length && a.every((tag, at) => tag === b[at]);

/** @param {readonly string[]} some @param {readonly string[]} all */
const isPart = (some, all) => (some.length === 0) === (all.length === 0) && some.every((tag) => all.includes(tag));

/** @param {any} event @returns {string | undefined} */
function tellingOf(event) {
  if (event.type === 'lease')
    return event.valid ? 'The lease is valid again.' : 'The lease was lost: L1 serves nothing.';
  if (event.type === 'breaker') return `The way to Redis is ${event.state}.`;
  if (event.type === 'journal') return event.entries > 0 ? `${event.entries} invalidations wait for Redis.` : 'The journal is empty again.'; // prettier-ignore
  if (event.type === 'warmed') return `A warming job was ${event.result}.`;
  return undefined;
}
