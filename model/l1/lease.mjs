// @ts-check
import { without } from '../without.mjs';

/** @typedef {import('./state.mjs').L1Config} L1Config */
/** @typedef {import('./state.mjs').L1State} L1State */
/** @typedef {import('./state.mjs').Message} Message */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<L1State>} Step */

/**
 * The lease and the connection that carries it: heartbeats, invalidations in order behind them, loss that is noticed
 * late, terms; the node's clocks.
 * @see Gray & Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency", 1989
 * @param {L1Config} config @param {Rules} rules
 */
export function leaseOf(config, rules) {
  /** @param {L1State} state the node's monotonic clock */
  const monotonic = ({ now, drift }) => now - drift;
  /** @param {L1State} state wall minus monotonic */
  const offsetOf = ({ drift, wall }) => drift + wall;

  /** Whether L1 may serve. @param {L1State} state */
  function valid(state) {
    if (!rules.leaseIsChecked) return true;
    const slept = offsetOf(state) - state.offset;
    if (rules.sleepIsNoticed && !rules.sleepIsSubtracted && Math.abs(slept) >= config.lease) return false;
    const counted = rules.sleepIsNoticed && rules.sleepIsSubtracted ? Math.max(0, slept) : 0;
    return monotonic(state) + counted < state.leaseUntil;
  }

  /** @param {L1State} state @param {Message} message @returns {L1State} */
  const toNode = (state, message) =>
    state.linked && state.subscribed === 'yes' ? { ...state, inbox: [...state.inbox, message] } : state;

  /** What FENCE does besides: the node is told. @param {L1State} state @param {number} writer */
  const publish = (state, writer) => toNode(state, { kind: 'invalidation', n: writer, connection: state.connection });

  /** What a generation's beginning, or its end (0), does besides. @param {L1State} state @param {number} gen */
  const tell = (state, gen) => toNode(state, { kind: 'generation', n: gen, connection: state.connection });

  /** @param {L1State} state @param {Step} step */
  function time(state, step) {
    if (state.now >= config.until) return;
    step(() => `time ${state.now + 1}`, { ...state, now: state.now + 1 });
    if (state.left.sleep) {
      const left = { ...state.left, sleep: state.left.sleep - 1 };
      const slept = { ...state, now: state.now + 1, drift: state.drift + 1, left };
      step(() => `time ${state.now + 1}; the node's machine slept through it`, slept);
    }
    if (state.left.clock) {
      const left = { ...state.left, clock: state.left.clock - 1 };
      step(() => 'the wall clock is set back', { ...state, wall: state.wall - 1, left });
      step(() => 'the wall clock is set forward', { ...state, wall: state.wall + 1, left });
    }
  }

  /** @param {L1State} state @param {Step} step */
  function heartbeat(state, step) {
    const { term, connection, outbox, heartbeats, linked } = state;
    if (heartbeats > 0 && term !== 0) {
      const ping = {
        kind: /** @type {const} */ ('pong'),
        n: monotonic(state),
        offset: offsetOf(state),
        connection,
        gen: state.gen,
      };
      const sent = { ...state, heartbeats: heartbeats - 1, outbox: [...outbox, ping] };
      step(() => `the node sends a heartbeat at ${ping.n}`, sent);
    }
    const [ping, ...later] = outbox;
    if (!ping) return;
    if (!linked || ping.connection !== connection)
      return step(() => 'a heartbeat is lost', { ...state, outbox: later });
    if (rules.heartbeatProvesGeneration && (ping.gen === 0 || ping.gen !== state.set.gen))
      return step(() => 'a heartbeat meets another generation', { ...state, outbox: later, gen: 0 });
    // Answered by Redis behind everything that it has published before.
    const pong = rules.leaseFromSent ? ping : { ...ping, n: -1 };
    const registered = state.registered || rules.heartbeatRegisters;
    const answered = { ...state, outbox: later, registered, beats: config.acknowledged ? state.beats + 1 : 0 };
    step(() => 'Redis answers the heartbeat', { ...answered, inbox: [...state.inbox, pong] });
  }

  /** @param {L1State} state @param {Step} step */
  function receive(state, step) {
    const [message, ...inbox] = state.inbox;
    if (!message) return;
    const rest = { ...state, inbox };
    if (message.kind === 'invalidation') {
      const { flight } = rest;
      const voided = flight && rules.placeholderIsVoided ? { flight: { ...flight, voided: true } } : {};
      const writers = state.writers.map((writer, i) => (i === message.n ? { ...writer, heard: true } : writer));
      const dropped = { ...without(rest, 'entry'), writers, ...voided };
      return step(() => `the node hears the invalidation of writer ${message.n}`, dropped);
    }
    if (message.kind === 'generation') {
      const { flight } = rest;
      const voided = flight ? { flight: { ...flight, voided: true } } : {};
      const dropped = { ...without(rest, 'entry'), gen: message.n, ...voided };
      return step(() => `the node hears that a generation ${message.n === 0 ? 'has ended' : 'begins'}`, dropped);
    }
    if (message.kind === 'subscribed') {
      const begun = { ...rest, term: message.connection, offset: offsetOf(state) };
      return step(() => 'SUBSCRIBE is confirmed: a term begins', begun);
    }
    const own = message.connection === state.term || !rules.answerOfOwnConnection;
    const sentAt = message.n === -1 ? monotonic(state) : message.n;
    const leaseUntil = Math.max(state.leaseUntil, sentAt + config.lease);
    const offset = rules.sleepFromSent ? (message.offset ?? 0) : offsetOf(state);
    const extended = own ? { ...rest, leaseUntil, offset } : rest;
    step(() => `the heartbeat's answer arrives: lease until ${extended.leaseUntil}`, extended);
  }

  /** @param {L1State} state @param {Step} step */
  function connection(state, step) {
    const { linked, subscribed, left, term } = state;
    if (linked && left.loss) {
      const lost = { ...state, linked: false, left: { ...left, loss: left.loss - 1 } };
      step(() => 'the connection is lost, and what was on its way', { ...lost, inbox: [], outbox: [] });
      if (state.inbox.length > 0) step(() => 'the connection is lost', lost);
    }
    if (!linked) {
      // What still lies in the buffer is read before the end is.
      const inbox = rules.answerOfOwnConnection ? [] : state.inbox;
      const ended = { ...state, inbox, term: 0, connection: state.connection + 1, linked: true };
      const early = rules.termAfterSubscribe ? {} : { term: ended.connection, offset: offsetOf(state) };
      const leaseUntil = rules.termIsChecked ? 0 : state.leaseUntil;
      const next = { ...ended, ...early, leaseUntil, subscribed: /** @type {const} */ ('asked') };
      step(() => 'the node notices the loss and connects again', next);
    }
    if (linked && subscribed === 'asked') {
      const confirmed = { kind: /** @type {const} */ ('subscribed'), n: 0, connection: state.connection };
      const inbox = rules.termAfterSubscribe || term === 0 ? [...state.inbox, confirmed] : state.inbox;
      const registered = state.registered || !rules.heartbeatRegisters;
      step(() => 'Redis executes SUBSCRIBE', { ...state, subscribed: 'yes', inbox, registered });
    }
  }

  /** @param {L1State} state @param {Step} step */
  function next(state, step) {
    time(state, step);
    heartbeat(state, step);
    receive(state, step);
    connection(state, step);
  }

  return { next, valid, publish, tell };
}
