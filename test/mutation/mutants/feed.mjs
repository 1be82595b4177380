// @ts-check
import { spec } from '../catchers.mjs';

const delivery = 'src/invalidation/feed/feed-delivery.ts';
const feed = 'src/invalidation/feed/change-feed.ts';
const xid = 'src/cache/core/wide-xid.ts';
const lsn = 'src/invalidation/feed/lsn.ts';
const ownWrites = 'src/invalidation/own-writes.ts';
const tagScripts = 'src/cache/levels/l2/scripts/tags.ts';

/** The change feed. @type {import('../mutants.mjs').Mutant[]} */
export const feedMutants = [
  {
    name: 'feed-confirms-behind',
    guard: 'the log is confirmed only once Redis has taken every fence of it',
    file: delivery,
    find: 'if (batch.length === 0) return;',
    replace: 'this.done(batch);',
    by: [spec('invalidation/feed.reader.e2e-spec', 'while Redis is away')],
  },
  {
    name: 'feed-visible',
    guard: 'the feed fences a change only once every load sees it',
    file: delivery,
    find: 'if (xids.every((xid) => sees(snapshot, xid))) return',
    replace: 'if (xids) return',
    by: [spec('cache/long-transactions.e2e-spec', 'whose COMMIT waits for a standby')],
  },
  {
    name: 'feed-without-old-row',
    guard: 'an UPDATE without its old row fences everything of the entity: the lists that it left are not known',
    file: 'src/invalidation/feed/change-stream.ts',
    find: '[message.old, message.new])\n          : this.#changeUnknown(message.relation);',
    replace: '[message.old, message.new])\n          : this.#change(message.relation, [message.new]);',
    by: [spec('invalidation/feed.e2e-spec', 'where the log does not have the old row')],
  },
  {
    name: 'feed-unreadable-row',
    guard: 'a row that this build cannot read has changed all the same',
    file: 'src/invalidation/feed/change-stream.ts',
    find: 'changes.unknown(rule);\n      }\n    }\n  }',
    replace: '}\n    }\n  }',
    by: [spec('invalidation/feed.e2e-spec', 'where the row cannot be read')],
  },
  {
    name: 'feed-covers',
    guard: 'a new slot begins with nothing cached',
    file: feed,
    find: 'if (!covers && (complete || !before)) await',
    replace: 'if (!covers && complete && before) await',
    by: [spec('invalidation/feed.reader.e2e-spec', 'a slot that is lost')],
  },
  {
    name: 'feed-covers-publication',
    guard: 'a publication that is made anew leaves a gap: everything is cached anew',
    file: 'src/invalidation/feed/feed-slot.ts',
    find: "SELECT $1 || ':' || oid FROM",
    replace: "SELECT $1 || ':' FROM",
    by: [spec('invalidation/feed.publication.e2e-spec', 'a slot that has kept changes')],
  },
  {
    name: 'feed-wide-xid',
    guard: 'ids are widened to the nearest',
    file: xid,
    find: 'BigInt.asIntN(32, ',
    replace: 'BigInt.asUintN(32, ',
    by: [spec('invalidation/feed-positions.spec', 'is widened to the nearest')],
  },
  {
    name: 'feed-lsn',
    guard: 'no position beyond what has been dealt with is confirmed',
    file: lsn,
    find: 'position > 0n ? position - 1n : 0n',
    replace: 'position',
    by: [spec('invalidation/feed-positions.spec', 'comes')],
  },
  {
    name: 'lua-fence-noted',
    guard: 'what a writer has fenced is noted, so that the feed does not fence it again',
    file: 'src/cache/levels/l2/scripts/parts.ts',
    find: 'note(noted, key)\nend',
    replace: 'end',
    by: [spec('invalidation/feed.writers.e2e-spec', 'is not fenced again by the feed')],
  },
  {
    name: 'lua-feed-each-tag',
    guard: 'the feed fences every tag that the transaction has not fenced, also where it has fenced others',
    file: tagScripts,
    find: "redis.call('SISMEMBER', noted, KEYS[key]) == 0",
    replace: "redis.call('EXISTS', noted) == 0",
    by: [spec('invalidation/feed.e2e-spec', 'part of a transaction that the service has made')],
  },
  {
    name: 'lua-feed-fences',
    guard: 'the feed fences what nobody has fenced',
    file: tagScripts,
    find: "if redis.call('SISMEMBER', noted, KEYS[key]) == 0 then\n      fence(",
    replace: "if redis.call('SISMEMBER', noted, KEYS[key]) == 0 then\n      local _ = (",
    by: [spec('invalidation/feed.e2e-spec', 'where the absence of a row was cached')],
  },
  {
    name: 'own-writes-each-tag',
    guard: 'the feed fences what a transaction of its own process has changed and not fenced',
    file: ownWrites,
    find: 'tags.filter((tag) => !write.fenced.has(tag))',
    replace: '[]',
    by: [spec('invalidation/feed.e2e-spec', 'part of a transaction that the service has made')],
  },
  {
    name: 'own-writes-taken',
    guard: 'what a writer wanted to fence, and Redis has not taken, is fenced by the feed',
    file: 'src/invalidation/policies/pending-write.ts',
    find: 'if (!tickets) return;\n    this.#tickets = tickets;',
    replace: 'this.#tickets = tickets ?? noTickets;',
    by: [spec('invalidation/feed.writers.e2e-spec', 'a writer that died before it told anybody')],
  },
  {
    name: 'own-writes-awaited',
    guard: 'the feed does not overtake a writer of its own process that is about to fence',
    file: ownWrites,
    find: 'await Promise.race([write.ended, sleep(patienceMs, undefined, { ref: false })]);',
    replace: '',
    by: [spec('invalidation/feed.writers.e2e-spec', 'is waited for, and Redis is not asked')],
  },
  {
    name: 'feed-ends',
    guard: 'a node that ends begins to read no feed',
    file: 'src/invalidation/feed/change-feed.ts',
    find: 'if (this.#stopped.signal.aborted) return;',
    replace: '',
    by: [spec('invalidation/feed.reader.e2e-spec', 'does not begin to read it')],
  },
];
