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

/** What a node says that it has sent: one or several invalidations, whose tags are the parts of its own. */
/** @typedef {{ node: string, source: string, left: Set<string>, all: readonly string[], heardMs: number, used: boolean }} Announcement */

const kept = 200;
/** An invalidation and the word of whoever sent it belong together if they come within this time, in ms. */
const togetherMs = 5_000;
/** What has been announced and not been heard of for so long reaches no other node: it is shown by itself. */
const aloneMs = 1_500;
/** Of very many tags, other nodes tell only so many. */
const comparedTags = 20;

/**
 * Puts together what the nodes tell one by one. The drops of one invalidation on all nodes bear the time and the tags that
 * it was sent with; who sent it is told apart, by the node that did, before or after.
 */
export class Incidents {
  /** Newest first. @type {Incident[]} */
  all = [];
  /** This one first. @type {string[]} */
  nodes = [];
  /** @type {Announcement[]} */
  #announced = [];

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

  /** Time passes. @returns {boolean} whether there is anything new to show */
  settle(nowMs = Date.now()) {
    const alone = this.#announced.filter(({ used, heardMs }) => !used && nowMs - heardMs > aloneMs);
    for (const announcement of alone) {
      const { heardMs: atMs, all: tags, source, node: writer } = announcement;
      announcement.used = true;
      this.#add({ atMs, tags: tags.slice(0, comparedTags), source, writer, drops: new Map() });
    }
    this.#announced = this.#announced.filter(({ heardMs }) => nowMs - heardMs < togetherMs);
    return alone.length > 0;
  }

  /** @param {string} node @param {{ tags: string[], seconds: number, sentAtMs: number }} event */
  #dropped(node, { tags, seconds, sentAtMs }) {
    this.meet(node);
    const compared = tags.slice(0, comparedTags);
    const known = this.all.find((one) => one.atMs === sentAtMs && !one.text && same(one.tags, compared));
    if (known) known.drops.set(node, seconds);
    else this.#add(this.#claimed({ atMs: sentAtMs, tags: compared, drops: new Map([[node, seconds]]) }));
    return true;
  }

  /** @param {string} node @param {{ source: string, tags: string[] }} event @param {number} nowMs */
  #invalidated(node, { source, tags }, nowMs) {
    this.meet(node);
    this.#announced.push({ node, source, left: new Set(tags), all: tags, heardMs: nowMs, used: false });
    const waiting = this.all.filter((one) => !one.source && !one.text && Math.abs(nowMs - one.atMs) < togetherMs);
    for (const one of waiting.toReversed()) this.#claimed(one);
    return waiting.length > 0;
  }

  /** A new generation: one row for all nodes. @param {string} node @param {number} nowMs */
  #cleared(node, nowMs) {
    this.meet(node);
    const known = this.all.find((one) => !one.text && one.tags.length === 0 && nowMs - one.atMs < togetherMs);
    if (known) known.drops.set(node, undefined);
    else this.#add(this.#claimed({ atMs: nowMs, tags: [], drops: new Map([[node, undefined]]) }));
    return true;
  }

  /** Each tag of an announcement was sent once. @param {Incident} incident */
  #claimed(incident) {
    const { tags } = incident;
    const announcement = this.#announced.find(({ left, all, used }) =>
      tags.length === 0 ? all.length === 0 && !used : tags.every((tag) => left.has(tag)),
    );
    if (!announcement) return incident;
    for (const tag of tags) announcement.left.delete(tag);
    announcement.used = true;
    return Object.assign(incident, { source: announcement.source, writer: announcement.node });
  }

  /** @param {Incident} incident */
  #add(incident) {
    const at = this.all.findIndex(({ atMs }) => atMs <= incident.atMs);
    this.all.splice(at === -1 ? this.all.length : at, 0, incident);
    this.all.splice(kept);
  }
}

/** @param {readonly string[]} a @param {readonly string[]} b */
const same = (a, b) => a.length === b.length && a.every((tag, at) => tag === b[at]);

/** @param {any} event @returns {string | undefined} */
function tellingOf(event) {
  if (event.type === 'lease')
    return event.valid ? 'The lease is valid again.' : 'The lease was lost: L1 serves nothing.';
  if (event.type === 'breaker') return `The way to Redis is ${event.state}.`;
  if (event.type === 'journal')
    return event.entries > 0 ? `${event.entries} invalidations wait for Redis.` : 'The journal is empty again.';
  if (event.type === 'warmed') return `A warming job was ${event.result}.`;
  return undefined;
}
