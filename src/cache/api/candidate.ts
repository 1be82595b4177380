import { type Settings } from '../../config/index.js';
import { policies, type PolicyName, strictestOf, weakest, weakestOf } from '../../policies/index.js';
import { entityOf, uriEntity } from '../core/tags.js';
import { type Entry } from '../levels/level.js';
import { type PolicySource, sharesL1 } from '../policy-source.js';
import { type Candidate } from './semantics/reuse.js';
import { type StoredResponse } from './stored-response.js';

type Lives = Pick<Entry, 'dependencies' | 'freshMs'>;

/** The entities that a response was made of; its own URI is none. */
export const entitiesOf = ({ dependencies }: Pick<Entry, 'dependencies'>): string[] =>
  dependencies.map(({ tag }) => entityOf(tag)).filter((entity) => entity !== uriEntity);

/** Whose rules hold for a response: the strictest of its parts', for one without parts those of its lifetime alone. */
const rulesOf = (lives: Lives, source: PolicySource): PolicyName =>
  strictestOf(entitiesOf(lives).map((entity) => source.rulesOf(entity))) ?? weakest;

/** What a response promises: what its weakest part does. */
export const promiseOf = (lives: Lives, source: PolicySource): PolicyName =>
  weakestOf(entitiesOf(lives).map((entity) => source.policyOf(entity))) ?? weakest;

/** Whether a hit counts only while the generation is certainly in force. */
export const needsCertainty = (lives: Lives, source: PolicySource): boolean =>
  policies[rulesOf(lives, source)].isCertain;

/** Whether L1 may hold it. */
export const isShared = (lives: Lives, source: PolicySource, settings: Settings): boolean =>
  sharesL1(rulesOf(lives, source), settings);

/** When a response was made, as far as its age tells: what it had of it when it came counts. Wall clock, in ms. */
export const bornAtMs = ({ madeAtMs, own }: StoredResponse): number => madeAtMs - (own?.ageS ?? 0) * 1_000;

/** @see RFC 9111, 4.2.3 */
export const ageS = (bornAtMs: number, nowMs: number): number => Math.max(0, nowMs - bornAtMs) / 1_000;

/** A stored response as far as its reuse goes: its own words count, but never for more than its policies allow. */
export function candidateOf(
  entry: Entry,
  stored: StoredResponse,
  source: PolicySource,
  { cacheStaleMs }: Settings,
  nowMs: number,
): Candidate {
  const { servesStale } = policies[rulesOf(entry, source)];
  const windowS = servesStale ? cacheStaleMs / 1_000 : 0;
  const terms = stored.own?.terms;
  const speaks = terms?.lifetimeS !== undefined;
  return {
    ageS: ageS(bornAtMs(stored), nowMs),
    freshForS: entry.freshMs / 1_000,
    noCache: terms?.noCache ?? false,
    mustRevalidate: (terms?.mustRevalidate ?? false) || !servesStale,
    staleWhileRevalidateS: terms?.staleWhileRevalidateS ?? (speaks ? 0 : windowS),
    staleIfErrorS: terms?.staleIfErrorS ?? windowS,
  };
}
