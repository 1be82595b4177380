// @ts-check

const policySwitch = 'src/invalidation/policies/policy-switch.ts';

/** Policies switched at run time. @type {import('../mutants.mjs').Mutant[]} */
export const switchMutants = [
  {
    name: 'switch-exclusive',
    guard: 'a switch waits for the writers of the policy before',
    file: 'src/invalidation/policies/policy-store.ts',
    find: "'SELECT pg_advisory_xact_lock($1)'",
    replace: "'SELECT pg_advisory_xact_lock_shared($1)'",
  },
  {
    name: 'switch-epoch',
    guard: 'strict accepts no load of before the switch',
    file: policySwitch,
    find: "if (target === 'strict') await this.tags.raiseEpoch(xid);",
    replace: '',
    depth: 'the coarse fence, made at the same transaction id, refuses the same loads',
  },
  {
    name: 'switch-drain',
    guard: 'strict is promised after all transactions of before have ended',
    file: policySwitch,
    find: 'while (!(await this.store.hasEnded(xid))) await this.clock.sleep(drainPollMs);',
    replace: '',
    depth:
      'the exclusive lock has waited for every writer; a load that is still under way is refused by the coarse fence',
  },
  {
    name: 'switch-coarse',
    guard: 'what the policy before has left in L2 is made unservable',
    file: policySwitch,
    find: 'await this.tags.invalidate([coarse]);',
    replace: '',
  },
  {
    name: 'switch-lease',
    guard: 'strict is promised after every lease of before has run out',
    file: policySwitch,
    find: "if (target === 'strict') await this.clock.sleep(leaseWaitMs(this.settings));",
    replace: '',
  },
  {
    name: 'switch-weaker-first',
    guard: 'the weaker promise is made before its writers begin',
    file: policySwitch,
    find: "if (target !== 'strict' && state.promised !== target && state.promised === 'strict') {",
    replace: 'if (Number.isNaN(state.revision)) {',
  },
  {
    name: 'switch-rules',
    guard: 'readers keep the rules of strict while a switch is under way',
    file: 'src/invalidation/policies/policy-registry.ts',
    find: "return [state.policy, state.promised, state.target].includes('strict') ? 'strict' : state.promised;",
    replace: 'return state.promised;',
  },
].map((mutant) => ({ by: ['switching'], ...mutant }));
