// @ts-check
import { explored, spec } from '../catchers.mjs';

const generation = 'src/cache/levels/l2/generation.ts';
const authority = 'src/cache/levels/l2/authority.ts';
const connection = 'src/cache/levels/l2/redis-connection.ts';
const record = 'src/cache/levels/l2/scripts/record.ts';
const parts = 'src/cache/levels/l2/scripts/parts.ts';
const generations = spec('cache/generations.spec');
const live = (/** @type {string} */ test) => spec('invalidation/generations.e2e-spec', test);
const authoritative = (/** @type {string} */ test) => spec('invalidation/authority.e2e-spec', test);
const historical = (/** @type {string} */ test) => spec('invalidation/history.e2e-spec', test);
const identified = (/** @type {string} */ test) => spec('invalidation/redis-identity.e2e-spec', test);

/** Which data set it is, and since when its fences are known. @type {import('../mutants.mjs').Mutant[]} */
export const generationMutants = [
  {
    name: 'identities',
    guard: 'the generation is bound to the identities of the servers',
    file: generation,
    find: 'const sameServer = this.#identified ? isSame(record, server) : primary.used;',
    replace: 'const sameServer = true;',
    by: [spec('cache/epochs.spec', 'from a server that is another one')],
  },
  {
    name: 'fence-again',
    guard: 'a strict writer whose generation has ended fences under the next one',
    file: 'src/invalidation/policies/commit-planner.ts',
    find: 'if (!hasEnded || !(await this.tags.untilInForce())) throw error;',
    replace: 'if (hasEnded || !hasEnded) throw error;',
    by: [live('a clear fails no strict write')],
  },
  {
    name: 'running-writers',
    guard: 'a generation lists the writers that are running when it begins',
    file: generation,
    find: "writers: writers.join(',')",
    replace: "writers: ''",
    by: [spec('cache/epochs.spec', 'that a running writer may have missed')],
  },
  {
    name: 'running-others',
    guard: 'a generation lists no transaction that is not a writer of the service',
    file: authority,
    find: 'AND policy.relation = ',
    replace: 'OR policy.relation = ',
    by: [spec('cache/epochs.spec', 'while transactions that are none of the')],
  },
  {
    name: 'earlier-writers-reported',
    guard: 'a writer from before the generation is reported until it has ended',
    file: 'src/cache/levels/l2/earlier-writers.ts',
    find: 'if (this.#xids === asked) this.#xids = open.map(({ xid }) => xid);',
    replace: 'this.#xids = [];',
    by: [spec('long-transactions.e2e-spec', 'reports the writer')],
  },
  {
    name: 'caller-generation',
    guard: 'a command is sent only under the generation that its caller knows',
    file: connection,
    find: 'if (!client || this.#gen !== gen) throw',
    replace: 'if (!client) throw',
    by: [explored('strict: row, flush', 'strict: row, an operator clears everything')],
    depth: 'every script compares the generation; the model has no such check',
  },
  {
    name: 'lua-claim-ends-the-old',
    guard: 'a generation has ended before the epoch of the next is taken',
    file: record,
    find: "redis.call('DEL', KEYS[2])\n",
    replace: '',
    by: [generations],
  },
  {
    name: 'lua-claim-once',
    guard: 'one node at a time installs a generation',
    file: record,
    find: "if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end",
    replace: "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])",
    by: [generations],
  },
  {
    name: 'lua-claim-follows-the-known',
    guard: 'a generation takes the place of the one its installer knew, of no other',
    file: record,
    find: "if (redis.call('HGET', KEYS[2], 'gen') or '') ~= ARGV[3] then return 0 end",
    replace: '',
    by: [generations],
  },
  {
    name: 'replica-refuses',
    guard: 'a server that has become a replica answers nothing',
    file: parts,
    find: 'export const prelude = `#!lua\n',
    replace: 'export const prelude = `',
    by: [spec('cache/epochs.spec', 'has become a replica')],
  },
  {
    name: 'renewal-bypasses',
    guard: 'while a generation is renewed, its node sends nothing under the one before',
    file: connection,
    find: "this.#gen = undefined;\n    this.#enter('half-open');",
    replace: "this.#enter('half-open');",
    by: [
      explored(
        'strict: row, an operator clears everything',
        'strict: row, an operator clears everything (two writers)',
      ),
    ],
    depth: 'the claim ends the generation before, and every script compares it; the model has no such check',
  },
  {
    name: 'lua-claim-tells',
    guard: 'no L1 serves from the moment that a generation is claimed',
    file: record,
    find: "redis.call('PUBLISH', ARGV[4], '!' .. ARGV[3])\n",
    replace: '',
    by: [live('is served by no L1 any more as soon as it has ended')],
  },
  {
    name: 'lua-beat-proves',
    guard: 'the lease is renewed only under the generation in force',
    file: record,
    find: 'export const beat = `${prelude}',
    replace: 'export const beat = `#!lua\n',
    by: [live('no lease is renewed')],
    depth: 'what has no generation joins the next one, and asks nothing meanwhile',
  },
  {
    name: 'claim-returned',
    guard: 'whoever cannot install gives the right to back',
    file: generation,
    find: 'await hold(0);\n      throw error;',
    replace: 'throw error;',
    by: [spec('cache/generations.spec', 'it gave the right to back')],
  },
  {
    name: 'join-not-reset',
    guard: 'a node does not end the connection on which it joins a generation',
    file: connection,
    find: "if (!this.#joining) this.#giveUp(new LevelUnavailableError('redis', reason));",
    replace: "this.#giveUp(new LevelUnavailableError('redis', reason));",
    by: [spec('cache/generations.spec', 'takes no connection down')],
  },
  {
    name: 'history-followed',
    guard: 'a generation ends where the history of PostgreSQL has gone back',
    file: authority,
    find: 'if (now.started === before.started) return now.lsn >= before.lsn;\n  return now.durable && before.durable && now.checkpoint >= before.lsn;',
    replace: 'return true;',
    by: [historical('with the data of an earlier time')],
  },
  {
    name: 'history-durable',
    guard: 'a restart under asynchronous commits proves nothing',
    file: authority,
    find: 'return now.durable && before.durable && now.checkpoint >= before.lsn;',
    replace: 'return now.checkpoint >= before.lsn;',
    by: [historical('after a crash under synchronous_commit=off')],
  },
  {
    name: 'history-needless',
    guard: 'a restart that has lost nothing ends no generation',
    file: authority,
    find: 'return now.durable && before.durable && now.checkpoint >= before.lsn;',
    replace: 'return false;',
    by: [historical('that has lost nothing')],
  },
  {
    name: 'lua-prove',
    guard: 'a generation ends where the data set in Redis has gone back',
    file: record,
    find: 'if back then',
    replace: 'if false then',
    by: [identified('where an older data set has come back')],
  },
  {
    name: 'one-redis',
    guard: 'another Redis takes over only where the one in force is used by nobody',
    file: generation,
    find: 'if (!ends && primary.used) throw new OtherServerError();',
    replace: '',
    by: [identified('that is not the one in force')],
  },
  {
    name: 'unidentified-strict',
    guard: 'strict is refused on a Redis that cannot be told from another',
    file: 'src/invalidation/policies/policy-switch.ts',
    find: 'return identified ? undefined : new UnidentifiedServerError();',
    replace: '',
    by: [identified('is refused for strict')],
  },
  {
    name: 'strict-certain',
    guard: 'a strict hit counts only while the generation is certainly in force',
    file: 'src/cache/levels/l2/redis-level.ts',
    find: 'return this.connection.certain;',
    replace: 'return true;',
    by: [authoritative('refuses under strict')],
  },
  {
    name: 'strict-writer-number',
    guard: 'a strict writer fails where another generation is in force',
    file: 'src/cache/levels/l2/redis-tags.ts',
    find: 'if (number === this.connection.number) return;',
    replace: 'if (number) return;',
    by: [authoritative('a strict writer fails')],
  },
];
