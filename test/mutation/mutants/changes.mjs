// @ts-check
import { spec } from '../catchers.mjs';

const frame = 'src/invalidation/subscriber/frame.ts';
const tags = 'src/invalidation/feed/changed-tags.ts';
const stream = 'src/invalidation/feed/change-stream.ts';

/** What a transaction has changed, as its writer and as the feed know it. @type {import('../mutants.mjs').Mutant[]} */
export const changeMutants = [
  {
    name: 'savepoint-unknown',
    guard: "unnamed rows of a released savepoint become its parent's",
    file: frame,
    find: 'changes.unknown ||= unknown || changes.ids.size > maxNamedRows;',
    replace: 'changes.unknown ||= changes.ids.size > maxNamedRows;',
    by: [spec('invalidation/changes.spec', 'has changed rows that nobody named')],
  },
  {
    name: 'savepoint-limit',
    guard: 'rows of a transaction and its savepoints are named up to one limit',
    file: frame,
    find: 'changes.unknown ||= unknown || changes.ids.size > maxNamedRows;',
    replace: 'changes.unknown ||= unknown;',
    by: [spec('invalidation/changes.spec', 'together with those of its savepoints')],
  },
  {
    name: 'named-limit',
    guard: 'beyond a limit the rows of a transaction are fenced as a whole',
    file: frame,
    find: 'if (changes.ids.size > maxNamedRows) changes.unknown = true;',
    replace: '',
    by: [spec('invalidation/changes.spec', 'stops naming rows beyond a limit')],
  },
  {
    name: 'feed-named-limit',
    guard: 'beyond a limit the feed fences the rows of a transaction as a whole',
    file: tags,
    find: 'if (rows.size > maxNamedRows) this.unknown(rule);',
    replace: '',
    by: [spec('invalidation/changes.spec', 'is everything of the entity beyond a limit')],
  },
  {
    name: 'feed-unknown-stays',
    guard: 'once rows have changed that are not named, the feed fences everything of the entity',
    file: tags,
    find: 'this.#unknown.add(rule);',
    replace: '',
    by: [spec('invalidation/changes.spec', 'is everything of the entity beyond a limit')],
  },
  {
    name: 'feed-old-lists',
    guard: 'the feed fences the lists that a row has left',
    file: stream,
    find: '? this.#change(message.relation, [message.old, message.new])',
    replace: '? this.#change(message.relation, [message.new])',
    by: [spec('invalidation/feed.e2e-spec', 'in the row and in the lists that it left')],
  },
  {
    name: 'feed-delete-without-old-row',
    guard: 'a DELETE without its old row fences everything of the entity',
    file: stream,
    find: 'return message.old ? this.#change(message.relation, [message.old]) : this.#changeUnknown(message.relation);',
    replace: 'return message.old ? this.#change(message.relation, [message.old]) : undefined;',
    by: [spec('invalidation/feed.e2e-spec', 'where the log does not have the old row')],
  },
  {
    name: 'feed-truncate',
    guard: 'a TRUNCATE fences everything of the entity',
    file: stream,
    find: 'for (const relation of message.relations) this.#changeUnknown(relation);',
    replace: '',
    by: [spec('invalidation/feed.e2e-spec', 'may be of ten thousand rows at once, or of all')],
  },
];
