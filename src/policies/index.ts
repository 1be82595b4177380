import { type Policy } from './policy.js';
import { registered } from './registry.js';
import { writeThrough } from './write-through.js';

export { type Policy, type Write } from './policy.js';

export type PolicyName = (typeof registered)[number]['name'];

/** From the weakest to the strictest. */
export const policyNames: readonly PolicyName[] = registered.map(({ name }) => name);

export const policies = Object.fromEntries(registered.map((policy) => [policy.name, policy])) as unknown as Readonly<
  Record<PolicyName, Policy>
>;

/** A name may be of a newer build's. */
export const isPolicyName = (name: string): name is PolicyName => Object.hasOwn(policies, name);

/** Of entities of which nobody says otherwise. */
export const defaultPolicy: PolicyName = writeThrough.name;

export const weakest = policyNames[0]!;
export const strictest = policyNames.at(-1)!;

/** Below zero: the first is weaker than the second. */
export const compare = (a: PolicyName, b: PolicyName): number => policyNames.indexOf(a) - policyNames.indexOf(b);

/** Undefined: of none. */
export const strictestOf = (names: readonly PolicyName[]): PolicyName | undefined =>
  names.reduce<PolicyName | undefined>((a, b) => (a && compare(a, b) >= 0 ? a : b), undefined);

/** Undefined: of none. */
export const weakestOf = (names: readonly PolicyName[]): PolicyName | undefined =>
  names.reduce<PolicyName | undefined>((a, b) => (a && compare(a, b) <= 0 ? a : b), undefined);
