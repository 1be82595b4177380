// @ts-check
import { ruled, spec } from '../catchers.mjs';

const rowScripts = 'src/cache/levels/l2/scripts/rows.ts';
/** Redis and the shared decisions, on the same commands. */
const scripts = spec('simulation/scripts.spec');

/** GET and FILL, where Redis decides. @type {import('../mutants.mjs').Mutant[]} */
export const rowScriptMutants = [
  {
    name: 'lua-hit-pending',
    guard: 'GET in Redis: nothing is pending',
    file: rowScripts,
    find: 'if h[3] and idle and h[4] == coarse then',
    replace: 'if h[3] and h[4] == coarse then',
    by: [scripts, ruled('GET: nothing pending on the row'), ruled('GET: nothing pending on the coarse tag')],
    depth: 'FENCE removes the value of a row, and changes the coarse stamp',
  },
  {
    name: 'lua-hit-coarse',
    guard: 'GET: the value was filled under the coarse stamp of now',
    file: rowScripts,
    find: 'if h[3] and idle and h[4] == coarse then',
    replace: 'if h[3] and idle then',
    by: [spec('cache/fences.spec', 'make every row a miss, for good')],
  },
  {
    name: 'lua-tickets-bounded',
    guard: 'tickets of readers that died are voided',
    file: rowScripts,
    find: "if redis.call('HLEN', key) > 64 then",
    replace: 'if false then',
    by: [spec('cache/fences.spec', 'is one of a bounded number')],
  },
  {
    name: 'lua-ticket',
    guard: 'FILL needs a live ticket',
    file: rowScripts,
    find: "if not ticket then return 'ticket' end",
    replace: "if not ticket then ticket = redis.call('HGET', coarse, 'stamp') end",
    by: [spec('cache/fences.spec', 'is void once another fill was accepted')],
  },
  {
    name: 'lua-ticket-coarse',
    guard: 'FILL: no unknown rows have changed since the ticket was taken',
    file: rowScripts,
    find: "  if c[1] ~= ticket then return 'coarse' end\n",
    replace: '',
  },
  {
    name: 'lua-epoch-seen',
    guard: 'FILL: the load began after the generation',
    file: 'src/cache/levels/l2/scripts/parts.ts',
    find: 'return sees(s, tonumber(record[1])) and seesAll(s, record[2])',
    replace: 'return seesAll(s, record[2])',
    by: [spec('cache/epochs.spec', 'whose snapshot is older than the generation')],
  },
  {
    name: 'lua-epoch',
    guard: 'FILL: the load has seen every writer from before the generation',
    file: rowScripts,
    find: "  if not isPast(s) then return 'epoch' end\n",
    replace: '',
    by: [spec('cache/epochs.spec', 'that a running writer may have missed')],
  },
  {
    name: 'lua-fence-pruned',
    guard: 'FILL: the load is past every writer that was pruned',
    file: rowScripts,
    find: "  if s.xmin <= math.max(tonumber(r[2] or '0'), tonumber(c[3] or '0')) then return 'fence' end\n",
    replace: '',
    by: [spec('cache/fences.spec', 'older than what was pruned')],
  },
  {
    name: 'lua-fence-row',
    guard: 'FILL: the load has seen every recent writer of the row',
    file: rowScripts,
    find: 'if not seesAll(s, r[1]) or not',
    replace: 'if not',
    by: [spec('cache/fences.spec', 'is a miss, and no fill is accepted')],
  },
  {
    name: 'lua-fence-coarse',
    guard: 'FILL: the load has seen every recent writer of unknown rows',
    file: rowScripts,
    find: 'if not seesAll(s, r[1]) or not seesAll(s, c[2]) then',
    replace: 'if not seesAll(s, r[1]) then',
    by: [spec('cache/fences.spec', 'refuse a row whose load has not seen them')],
  },
  {
    name: 'lua-fill-voids-tickets',
    guard: 'an accepted FILL voids all other tickets',
    file: rowScripts,
    find: "redis.call('DEL', row)\n  redis.call('HSET', row, 'stamp', h[1], 'pend', ''",
    replace: "redis.call('HSET', row, 'stamp', h[1], 'pend', ''",
    by: [spec('cache/fences.spec', 'is void once another fill was accepted')],
  },
  {
    name: 'lua-fill-keeps-fence',
    guard: 'an accepted FILL keeps the fence',
    file: rowScripts,
    find: "'pend', '', 'fence', text(list), 'ff'",
    replace: "'pend', '', 'fence', '', 'ff'",
  },
].map((mutant) => ({ by: [scripts], ...mutant }));
