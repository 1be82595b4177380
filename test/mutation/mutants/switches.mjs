// @ts-check
import { ruled, simulated, spec } from '../catchers.mjs';

const policySwitch = 'src/invalidation/policies/policy-switch.ts';
const registry = 'src/invalidation/policies/policy-registry.ts';
const store = 'src/invalidation/policies/policy-store.ts';

/** Policies switched at run time. @type {import('../mutants.mjs').Mutant[]} */
export const switchMutants = [
  {
    name: 'switch-exclusive',
    guard: 'a switch waits for the writers of the policy before',
    file: store,
    find: "'SELECT pg_advisory_xact_lock($1)'",
    replace: "'SELECT pg_advisory_xact_lock_shared($1)'",
    by: [spec('invalidation/strict.e2e-spec', 'waits for the writers of the old policy')],
  },
  {
    name: 'switch-epoch',
    guard: 'strict accepts no load of before the switch',
    file: policySwitch,
    find: "if (target === 'strict') await this.tags.raiseEpoch(xid);",
    replace: '',
    by: [simulated('switching', { schedules: 1_000 }), ruled('a switch to strict raises the epoch')],
    depth: 'when the writers before it have ended, every later load has seen them',
  },
  {
    name: 'switch-drain',
    guard: 'strict is promised after all transactions of before have ended',
    file: policySwitch,
    find: 'while (!(await this.store.hasEnded(xid))) await this.clock.sleep(drainPollMs);',
    replace: '',
    by: [
      simulated('switching', { schedules: 1_000 }),
      ruled('a switch to strict waits for all transactions before it'),
    ],
    depth: 'the exclusive lock has waited for every writer',
  },
  {
    name: 'switch-coarse',
    guard: 'what the policy before has left in L2 is made unservable',
    file: policySwitch,
    find: 'await this.tags.invalidate([coarse]);',
    replace: '',
    by: [spec('invalidation/strict.e2e-spec', 'leaves nothing that the new one')],
  },
  {
    name: 'switch-lease',
    guard: 'strict is promised after every lease of before has run out',
    file: policySwitch,
    find: "if (target === 'strict') await this.clock.sleep(leaseWaitMs(this.settings));",
    replace: '',
    by: [spec('invalidation/strict.e2e-spec', 'waits for the writers of the old policy')],
  },
  {
    name: 'switch-weaker-first',
    guard: 'the weaker promise is made before its writers begin',
    file: policySwitch,
    find: "if (target !== 'strict' && state.promised !== target && state.promised === 'strict') {",
    replace: 'if (Number.isNaN(state.revision)) {',
    by: [spec('invalidation/strict.e2e-spec', 'promises less before its writers do less')],
  },
  {
    name: 'switch-rules',
    guard: 'readers keep the rules of strict while a switch is under way',
    file: registry,
    find: "return policy === 'strict' || target === 'strict' ? 'strict' : promised;",
    replace: 'return promised;',
    by: [spec('invalidation/strict.e2e-spec', 'waits for the writers of the old policy')],
  },
  {
    name: 'switch-writer-lock',
    guard: 'a writer holds the policy that it began under, until it ends',
    file: store,
    find: 'SELECT pg_advisory_xact_lock_shared(${policyLockId});',
    replace: 'SELECT 1;',
    by: [spec('invalidation/strict.e2e-spec', 'waits for the writers of the old policy')],
  },
  {
    name: 'switch-writer-policy',
    guard: 'a writer asks for the policy in its own transaction, and does not rely on what its node has heard',
    file: registry,
    find: 'return (entity) => known.get(entity) ?? this.configured(entity);',
    replace: 'return (entity) => known && this.writersOf(entity);',
    by: [spec('invalidation/strict.e2e-spec', 'never taken back by what is heard late')],
  },
  {
    name: 'switch-revision',
    guard: 'an older state of a policy never replaces a newer one',
    file: registry,
    find: 'if (known && known.revision >= state.revision) return;',
    replace: '',
    by: [spec('invalidation/strict.e2e-spec', 'never taken back by what is heard late')],
  },
  {
    name: 'switch-eviction',
    guard: 'strict refuses a Redis that may evict fences',
    file: policySwitch,
    find: "if (evictionPolicy.startsWith('allkeys')) throw new EvictionPolicyError(evictionPolicy);",
    replace: '',
    by: [spec('invalidation/strict.e2e-spec', 'does not boot on a Redis that may evict')],
  },
];
