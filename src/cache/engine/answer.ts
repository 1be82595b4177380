import { type PolicyName } from '../../policies/index.js';
import { type LevelName } from '../events.js';
import { type Entry } from '../levels/level.js';
import { type Part } from './scope.js';

/** What a read of the db layer found: the text of the value, and what whoever makes something of it has to know. */
export interface Answer extends Part {
  readonly body: string;
}

export function hit(
  level: LevelName,
  { body, dependencies, freshMs, keepMs, blind }: Entry,
  policy: PolicyName,
): Answer {
  const status = { hit: true, level, policy, ttlMs: freshMs } as const;
  return { body, dependencies: blind ? undefined : dependencies, freshMs, keepMs, status };
}

/** The same, for those who waited for another's load. */
export function collapsed(answer: Answer): Answer {
  return answer.status.hit ? answer : { ...answer, status: { ...answer.status, stored: false, collapsed: true } };
}
