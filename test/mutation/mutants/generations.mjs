// @ts-check
import { explored, simulated, spec } from '../catchers.mjs';

const generation = 'src/cache/levels/l2/generation.ts';
const connection = 'src/cache/levels/l2/redis-connection.ts';
const record = 'src/cache/levels/l2/scripts/record.ts';
const parts = 'src/cache/levels/l2/scripts/parts.ts';
const generations = spec('cache/generations.spec');

/** Which data set it is, and since when its fences are known. @type {import('../mutants.mjs').Mutant[]} */
export const generationMutants = [
  {
    name: 'identities',
    guard: 'the generation is bound to the identities of the servers',
    file: generation,
    find: 'if (!madeFor(record, identities)) return',
    replace: "if (!record['gen']) return",
    by: [spec('cache/epochs.spec', 'from a server that is another one')],
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
    file: generation,
    find: 'AND policy.objid = ${policyLockId} AND',
    replace: 'OR true AND',
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
    find: 'this.#gen = undefined;\n    try {\n      const gen',
    replace: 'try {\n      const gen',
    by: [
      explored(
        'strict: row, an operator clears everything',
        'strict: row, an operator clears everything (two writers)',
      ),
    ],
    depth: 'the claim ends the generation before, and every script compares it; the model has no such check',
  },
];
