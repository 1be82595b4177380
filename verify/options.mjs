// @ts-check
import { policies } from './checker/history.mjs';
import { count, oneOf, parseCommandLine, seedOf, someOf, whole } from './command-line.mjs';
import { faultNames, serverFaults } from './faults/names.mjs';
import { UsageError } from './command.mjs';
import { writeKindNames } from './workload/writes.mjs';

/** @typedef {import('./checker/history.mjs').Policy} Policy */
/** @typedef {ReturnType<typeof parseOptions>} Options */

const l1Modes = /** @type {const} */ (['bypass', 'acknowledged']);

export const usage = `npm run verify -- [options]
  --policy P          ${policies.join(', ')} (strict)
  --nodes N           node processes (3)
  --reads N           go on until so many reads were answered, and each fault came often enough (20000)
  --seconds N         stop after this time instead, whatever came
  --faults LIST       ${faultNames.join(',')} (all but sql); none
  --writes LIST       besides PUT /items/:id: ${writeKindNames.join(',')} (all); none
  --times N           each fault at least so often (5)
  --seed S            the same seed draws the same faults and requests; their timing is the machine's
  --rows N            rows that everything happens to (20)
  --l1-strict MODE    ${l1Modes.join(', ')} (bypass)
  --ttl MS, --stale MS, --lease MS    CACHE_TTL_MS, CACHE_STALE_MS, CACHE_L1_LEASE_MS
  --readers N, --writers N            per node (3), in all (4)
  --postgres URL      use this server (as superuser) instead of starting one; the run makes a database of its own
  --keep DIR          keep history and logs there, also of a run without a finding
  --check FILE        judge a kept history again, without running anything`;

/** @param {string[]} args */
export function parseOptions(args) {
  const { values } = parse(args);
  const faults = faultsIn(values.faults, values.postgres);
  const policy = oneOf('policy', policies, values.policy ?? 'strict');
  return {
    policy,
    nodes: count('nodes', values.nodes, 3),
    reads: count('reads', values.reads, 20_000),
    seconds: values.seconds === undefined ? undefined : count('seconds', values.seconds, 0),
    faults,
    writes: namesIn('writes', writeKindNames, values.writes ?? writeKindNames.join(',')),
    times: count('times', values.times, 5),
    seed: seedOf(values.seed),
    rows: count('rows', values.rows, 20),
    l1Strict: oneOf('l1-strict', l1Modes, values['l1-strict'] ?? 'bypass'),
    settings: {
      leaseMs: count('lease', values.lease, 500),
      redisTimeoutMs: 100,
      jitter: 0.1,
      ...lifetimes(policy, faults, values),
    },
    readers: count('readers', values.readers, 3),
    writers: count('writers', values.writers, 4),
    postgres: values.postgres,
    keep: values.keep,
    check: values.check,
    help: values.help ?? false,
  };
}

/**
 * Where something is bounded by the TTL alone, it is short enough to be waited for. Elsewhere it is so long that it cannot
 * hide anything.
 * @param {Policy} policy
 * @param {readonly string[]} faults
 * @param {{ ttl?: string | undefined, stale?: string | undefined }} given
 */
function lifetimes(policy, faults, given) {
  const bounded = policy === 'ttl' || faults.includes('sql') || (policy !== 'strict' && faults.includes('kill'));
  const staleMs = policy === 'strict' ? 0 : bounded ? 1_000 : 300_000;
  return { ttlMs: count('ttl', given.ttl, bounded ? 3_000 : 60_000), staleMs: whole('stale', given.stale, staleMs) };
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  return parseCommandLine({
    args,
    options: {
      ...{
        policy: text,
        nodes: text,
        reads: text,
        seconds: text,
        faults: text,
        writes: text,
        times: text,
        seed: text,
        rows: text,
      },
      ...{ 'l1-strict': text, ttl: text, stale: text, lease: text, readers: text, writers: text },
      ...{ postgres: text, keep: text, check: text, help: { type: 'boolean' } },
    },
  });
}

/** @param {string | undefined} list @param {string | undefined} postgres a server that is not the run's own */
function faultsIn(list, postgres) {
  const impossible = (/** @type {string} */ name) =>
    postgres !== undefined && serverFaults.some((fault) => fault === name);
  if (list === undefined) return faultNames.filter((name) => name !== 'sql' && !impossible(name));
  const faults = namesIn('faults', faultNames, list);
  const first = faults.find(impossible);
  if (first !== undefined)
    throw new UsageError(`--faults: ${first} needs a PostgreSQL of the run itself, not --postgres`);
  return faults;
}

/** @template {string} T @param {string} flag @param {readonly T[]} all @param {string} list */
const namesIn = (flag, all, list) => (['', 'none'].includes(list.trim()) ? [] : someOf(flag, all, list));
