// @ts-check
import { scripted, spec } from '../catchers.mjs';

const subscriber = 'src/invalidation/subscriber/cache.subscriber.ts';
const statements = 'src/invalidation/subscriber/statement-transactions.ts';
const tables = 'src/invalidation/writes/cached-tables.ts';
const graph = 'src/invalidation/writes/table-graph.ts';
const condition = 'src/invalidation/writes/sql-condition.ts';
const sql = 'src/invalidation/writes/sql-writes.ts';
const check = 'src/invalidation/writes/rule-check.ts';
const reader = 'src/invalidation/subscriber/row-reader.ts';
const tags = 'src/cache/core/tags.ts';
const rules = 'src/cache/rules.ts';

const seen = (/** @type {string} */ how) => [spec('invalidation/statements.e2e-spec', how)];
const parsed = [spec('invalidation/sql-writes.spec')];
const refused = (/** @type {string} */ what) => [spec('invalidation/rule-check.e2e-spec', what)];
const named = (/** @type {string} */ what) => [spec('cache/names.spec', what)];

/** What statements change, what cannot be cached, and what is called what. @type {import('../mutants.mjs').Mutant[]} */
export const writeMutants = [
  {
    name: 'statement-transaction',
    guard: 'a statement outside of a transaction is made one',
    file: statements,
    find: 'return this.#sending.run(runner, () => runner.manager.transaction(send));',
    replace: 'return send();',
    by: [
      ...seen('SQL'),
      spec('invalidation/switches.followed.e2e-spec', 'a statement outside of a transaction waits for a switch'),
    ],
  },
  {
    name: 'statements-in-turn',
    guard: 'a connection has one such transaction at a time',
    file: statements,
    find: 'await before?.catch(() => undefined);',
    replace: 'void before;',
    by: seen('several statements at once on one connection'),
  },
  {
    name: 'begun-as-sql',
    guard: 'a transaction that was begun as SQL is one more',
    file: statements,
    find: "if (controls.length === 1 && controls[0] === 'begin') return this.#begin(runner, send);",
    replace: 'void this.#begin;',
    by: seen('a transaction that was begun as SQL'),
  },
  {
    name: 'unguarded-write',
    guard: 'a write in a transaction that was begun among other statements is refused',
    file: statements,
    find: 'if (leftOpen || (await isInTransaction(runner))) throw new UnguardedWriteError(change.rule.entity);',
    replace: 'void [leftOpen, UnguardedWriteError];',
    by: [spec('invalidation/statements.e2e-spec', 'a transaction that was begun among other statements')],
  },
  {
    name: 'row-gone',
    guard: 'a statement that names a row which no event has looked at changes everything',
    file: subscriber,
    find: 'if (!keys?.every(isNamed))',
    replace: 'if (!keys?.every((number) => isNamed(number) || true))',
    by: [...seen('save without listeners'), scripted('is inserted again before the UPDATE', 'found')],
  },
  {
    name: 'key-changed',
    guard: 'a row that is given another key changes everything',
    file: tables,
    find: 'columns.includes(key) ?',
    replace: 'columns.length < 0 ?',
    by: seen('made by giving a row that is known another key'),
  },
  {
    name: 'upsert-noticed',
    guard: 'an INSERT … ON CONFLICT may have replaced a row that nobody looked at',
    file: tables,
    find: 'if (onConflict) return [{ rule, upserts: true }];',
    replace: 'if (onConflict) return [];',
    by: [spec('invalidation/outcomes.e2e-spec', 'an upsert that moves a row')],
  },
  {
    name: 'insert-replaces-nothing',
    guard: 'a plain INSERT fences its own row and lists, not everything of the entity',
    file: subscriber,
    find: 'transaction.upserted.has(rule.entity)',
    replace: 'transaction.upserted.size >= 0',
    by: [spec('invalidation/outcomes.e2e-spec', 'leaves the other rows cached')],
  },
  {
    name: 'unnamed-rows',
    guard: 'a row that is inserted, and that no event names, changes everything',
    file: 'src/invalidation/subscriber/frame.ts',
    find: 'one.unknown || one.unnamed !== 0',
    replace: 'one.unknown',
    by: seen('in the list that a row enters without listeners'),
  },
  {
    name: 'foreign-keys',
    guard: 'a statement changes what foreign keys make of it',
    file: tables,
    find: '...(others ? [{ rule }] : [])',
    replace: '...(others ? [] : [])',
    by: seen('made by a foreign key'),
  },
  {
    name: 'foreign-key-to-itself',
    guard: 'a foreign key changes further rows of its own table',
    file: graph,
    find: 'if (edge.onDelete !== null || next.relation !== from.oid)',
    replace: 'if (next.relation !== from.oid)',
    by: seen('made by a foreign key'),
  },
  {
    name: 'foreign-key-columns',
    guard: 'an update that leaves a key alone changes nothing that refers to it',
    file: graph,
    find: 'onUpdate in cascaded && touchesKey ?',
    replace: 'onUpdate in cascaded ?',
    by: seen('but nothing changes where others refer to the key'),
  },
  {
    name: 'join-tables',
    guard: 'a write of a join table changes both entities',
    file: tables,
    find: '...joining.map(',
    replace: '...joining.slice(joining.length).map(',
    by: seen('made in a table between two entities'),
  },
  {
    name: 'catalog-own-ddl',
    guard: 'the catalogs are read anew after a statement that may have changed them',
    file: subscriber,
    find: 'if (!mayDefine(query)) return;',
    replace: 'if (query) return;',
    by: seen('made by a foreign key that the service itself'),
  },
  {
    name: 'catalog-incomplete',
    guard: 'the catalogs are read anew while a cached table is not there yet',
    file: tables,
    find: 'this.#readAtMs = complete ? this.clock.monotonicMs() : Number.NEGATIVE_INFINITY;',
    replace: 'this.#readAtMs = this.clock.monotonicMs();\n    void complete;',
    by: seen('a foreign key of theirs is followed'),
  },
  {
    name: 'unselected-columns',
    guard: 'a rule sees columns that are not selected',
    file: reader,
    find: 'if (!isSelect) builder.addSelect(`row.${propertyPath}`);',
    replace: 'void [isSelect, propertyPath];',
    by: seen('in lists by a column that is not selected'),
  },
  {
    name: 'relation-keys',
    guard: 'a rule sees the keys of the relations that a row holds',
    file: reader,
    find: 'return paths.length > 0 ?',
    replace: 'return paths.length < 0 ?',
    by: seen('in lists by a column that is not selected'),
  },
  {
    name: 'query-any-row',
    guard: 'a query by a filter that no write fences depends on any row',
    file: rules,
    find: 'all.add(anyRowTag(entity));',
    replace: '',
    by: seen('in lists by a column that is not selected'),
  },
  {
    name: 'unknown-tag',
    guard: 'a query under a tag without a rule is refused',
    file: rules,
    find: 'if (!isTag(tag) || !this.#byName.has(entity)) throw new UnknownTagError(tag);',
    replace: 'void UnknownTagError;',
    by: refused('what no rule names is not cached'),
  },
  {
    name: 'key-beside-others',
    guard: 'a key in a statement over several tables names no rows',
    file: sql,
    find: "['where', 'from', 'using'].includes(text)",
    replace: "['where'].includes(text)",
    by: parsed,
  },
  {
    name: 'key-in-alternatives',
    guard: 'only what all alternatives of a condition name is known',
    file: condition,
    find: 'other.has(column) ?',
    replace: 'other.size >= 0 ?',
    by: parsed,
  },
  {
    name: 'key-in-part',
    guard: 'a condition that is not understood to its end names no rows',
    file: condition,
    find: 'return plain && this.at === end ? keys : nothing;',
    replace: 'return end >= 0 || plain ? keys : nothing;',
    by: parsed,
  },
  {
    name: 'views',
    guard: 'an entity of a view is refused',
    file: check,
    find: 'if (kinds[kind])',
    replace: 'if (kinds[kind] && !kind)',
    by: refused('for a view'),
  },
  {
    name: 'shared-tables',
    guard: 'a table that another data source writes is refused',
    file: check,
    find: 'faults.push(...(await this.#shared()));',
    replace: '',
    by: refused('whose table another data source'),
  },
  {
    name: 'names',
    guard: 'names of entities that make tags ambiguous are refused',
    file: rules,
    find: 'if (fault) throw',
    replace: 'if (fault && !entity) throw',
    by: refused('for an entity called'),
  },
  {
    name: 'asterisk-in-id',
    guard: 'no id has an asterisk in its tag',
    file: tags,
    find: "if (character === '*') return '%2A';",
    replace: '',
    by: named('of different things are never one tag'),
  },
  {
    name: 'asterisk-in-filter',
    guard: 'no filter has an asterisk in its tag',
    file: tags,
    find: ".replaceAll('*', '%2A')",
    replace: ".replaceAll('*', '*')",
    by: named('of different things are never one tag'),
  },
  {
    name: 'half-pairs',
    guard: 'keys that UTF-8 has no words for are different all the same',
    file: 'src/cache/levels/l2/keys.ts',
    find: 'halfPair.test(key) ? JSON.stringify(key) : key',
    replace: 'halfPair.test(key) ? key : key',
    by: named('of different things are never one key'),
  },
  {
    name: 'invalidated-expires',
    guard: 'a tag that was to expire still does after an invalidation',
    file: 'src/cache/levels/l2/scripts/tags.ts',
    find: "(h[1] or '') == '' or redis.call('PTTL', KEYS[i]) > 0",
    replace: "(h[1] or '') == ''",
    by: named('an invalidation leaves the expiry'),
  },
  {
    name: 'rolled-back-expires',
    guard: 'a tag whose last writer has rolled back expires',
    file: 'src/cache/levels/l2/scripts/tags.ts',
    find: "redis.call('PEXPIRE', KEYS[i], ARGV[3], 'NX')",
    replace: 'local _ = 0',
    by: named('everything but the coarse tags expires'),
  },
];
