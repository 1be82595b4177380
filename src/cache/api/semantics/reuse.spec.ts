import { renewalBudget, renewalsPerSecond } from './renewal-budget.js';
import { requestTerms } from './request-terms.js';
import { type Candidate, judge, standsIn } from './reuse.js';

const fresh: Candidate = {
  ageS: 10.5,
  freshForS: 20,
  noCache: false,
  mustRevalidate: false,
  staleWhileRevalidateS: 0,
  staleIfErrorS: 0,
};
const stale: Candidate = { ...fresh, freshForS: -5 };
const asks = (value: string) => requestTerms({ 'cache-control': value });
const anything = requestTerms({});

describe('a stored response', () => {
  it('is served while it is fresh, and validated afterwards', () => {
    expect(judge(fresh, anything)).toBe('served');
    expect(judge({ ...fresh, freshForS: 0 }, anything)).toBe('stale');
    expect(judge(stale, anything)).toBe('stale');
  });

  it('with no-cache is validated before every use', () => {
    expect(judge({ ...fresh, noCache: true }, anything)).toBe('stale');
  });

  it('is served stale while it is renewed, as long as it allows', () => {
    expect(judge({ ...stale, staleWhileRevalidateS: 6 }, anything)).toBe('renewed');
    expect(judge({ ...stale, staleWhileRevalidateS: 5 }, anything)).toBe('stale');
    expect(judge({ ...stale, staleWhileRevalidateS: 6, mustRevalidate: true }, anything)).toBe('stale');
  });

  it('stands in for an error, as long as it allows', () => {
    expect(standsIn(fresh)).toBe(true);
    expect(standsIn({ ...stale, staleIfErrorS: 6 })).toBe(true);
    expect(standsIn({ ...stale, staleIfErrorS: 5 })).toBe(false);
    expect(standsIn({ ...stale, staleIfErrorS: 6, mustRevalidate: true })).toBe(false);
    expect(standsIn({ ...stale, staleIfErrorS: 6, noCache: true })).toBe(false);
    expect(standsIn({ ...fresh, noCache: true })).toBe(false);
  });
});

describe('a request', () => {
  it('may want none that is stored', () => {
    expect(judge(fresh, asks('no-cache'))).toBe('asked');
    expect(judge(fresh, requestTerms({ pragma: 'no-cache' }))).toBe('asked');
    expect(judge(fresh, requestTerms({ pragma: 'no-cache', 'cache-control': 'max-age=60' }))).toBe('served');
  });

  it('may want a young one', () => {
    expect(judge(fresh, asks('max-age=10'))).toBe('served');
    expect(judge(fresh, asks('max-age=9'))).toBe('asked');
    expect(judge(fresh, asks('max-age=soon'))).toBe('asked');
  });

  it('may want one that stays fresh', () => {
    expect(judge(fresh, asks('min-fresh=20'))).toBe('served');
    expect(judge(fresh, asks('min-fresh=21'))).toBe('asked');
  });

  it('may take a stale one, unless the response forbids it', () => {
    expect(judge(stale, asks('max-stale=5'))).toBe('served');
    expect(judge(stale, asks('max-stale=4'))).toBe('stale');
    expect(judge(stale, asks('max-stale'))).toBe('served');
    expect(judge(stale, asks('max-stale=x'))).toBe('stale');
    expect(judge({ ...stale, mustRevalidate: true }, asks('max-stale'))).toBe('stale');
  });

  it('names the other directives', () => {
    expect(asks('no-store, only-if-cached')).toMatchObject({ noStore: true, onlyIfCached: true, noCache: false });
    expect(asks('x="no-cache"')).toMatchObject({ noCache: false });
  });
});

describe('the budget of renewals', () => {
  it('is so many a second for each key', () => {
    const budget = renewalBudget();
    const spend = (key: string, atMs: number, times: number) =>
      Array.from({ length: times }, () => budget.take(key, atMs)).filter((waitMs) => waitMs === 0).length;
    expect(spend('a', 0, 100)).toBe(renewalsPerSecond);
    expect(spend('b', 0, 100)).toBe(renewalsPerSecond);
    expect(spend('a', 100, 100)).toBe(1);
    expect(spend('a', 60_000, 100)).toBe(renewalsPerSecond);
  });
});
