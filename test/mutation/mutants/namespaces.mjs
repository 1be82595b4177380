// @ts-check
import { spec } from '../catchers.mjs';

const keys = 'src/cache/levels/l2/keys.ts';
const bus = 'src/invalidation/bus/invalidation-bus.ts';
const byServices = (/** @type {string} */ test) => [spec('cache/namespaces.e2e-spec', test)];

/** Several services on one Redis server, and messages from anybody. @type {import('../mutants.mjs').Mutant[]} */
export const namespaceMutants = [
  {
    name: 'namespace-record',
    guard: 'services in one Redis database have a generation each',
    file: keys,
    find: '`${prefix}:${namespace}:record`',
    replace: '`${prefix}:${namespace.slice(99)}:record`',
    by: byServices('leave each other alone'),
  },
  {
    name: 'namespace-policies',
    guard: 'services do not hear each other on channels, which are those of the whole server',
    file: keys,
    find: '`${prefix}:${namespace}:policies`',
    replace: '`${prefix}:${namespace.slice(99)}:policies`',
    by: byServices('name every key and every channel differently'),
  },
  {
    name: 'namespace-sweep',
    guard: 'a new generation sweeps its own service’s keys only',
    file: keys,
    find: '`${prefix}:${namespace}:*`',
    replace: '`${prefix}:${namespace.slice(99)}*`',
    by: byServices('leave each other alone'),
  },
  {
    name: 'namespace-queue',
    guard: 'services have a warming queue each',
    file: 'src/warming/queue/queue-options.ts',
    find: '`{strata:${namespace}:bull}`',
    replace: '`{strata:${namespace.slice(99)}:bull}`',
    by: byServices('leave each other alone'),
  },
  {
    name: 'namespace-follows',
    guard: 'a node moves to the namespace of another identity of its database',
    file: bus,
    find: 'namespace.onChange(() => this.#moveAway());',
    replace: '',
    by: byServices('follows the identity of the database'),
  },
  {
    name: 'message-invalidation',
    guard: 'what is no invalidation is ignored',
    file: bus,
    find: 'const message = invalidationIn(text);',
    replace: 'const message = JSON.parse(text) as ReturnType<typeof invalidationIn>;',
    by: byServices('what is no message of the service'),
  },
  {
    name: 'message-node',
    guard: 'what is no answer to this node is ignored',
    file: bus,
    find: 'const message = nodeMessageIn(text);',
    replace: 'const message = JSON.parse(text) as ReturnType<typeof nodeMessageIn>;',
    by: byServices('what is no message of the service'),
  },
  {
    name: 'message-generation',
    guard: 'what names no generation of this service is ignored',
    file: bus,
    find: "if (text !== '!' && namespaceOf(gen) !== namespace) return this.#ignore(text);",
    replace: '',
    by: byServices('what is no message of the service'),
  },
  {
    name: 'namespace-generation',
    guard: 'a generation of another namespace is not in force',
    file: 'src/cache/levels/l2/generation.ts',
    find: 'const moved = primary && this.namespace.follow(primary) !== namespaceOf(gen);',
    replace: 'const moved = primary && this.namespace.follow(primary) === undefined;',
    by: byServices('follows the identity of the database'),
  },
  {
    name: 'namespace-used',
    guard: 'a generation that nodes use is not taken over from another namespace',
    file: 'src/cache/levels/l2/generation.ts',
    find: 'namespaceOf(primary.generation) === namespace && key === primary.server',
    replace: 'key === primary.server',
    by: byServices('of a service is one'),
  },
];
