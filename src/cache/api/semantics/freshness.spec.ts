import { initialAgeS } from './age.js';
import { type Fields } from './fields.js';
import { parseHttpDate } from './http-date.js';
import { responseTerms } from './response-terms.js';
import { targetedDirectives } from './targeted.js';

const nowMs = Date.UTC(2030, 0, 2, 3, 4, 5);
const at = (seconds: number) => new Date(nowMs + seconds * 1_000).toUTCString();
const lifetime = (fields: Fields, targeted = false) => responseTerms(fields, targeted, nowMs).lifetimeS;

describe('the lifetime of a response', () => {
  it.each<[Fields, number | undefined]>([
    [{ 'cache-control': 'max-age=60' }, 60],
    [{ 'cache-control': 'max-age=60, s-maxage=5' }, 5],
    [{ 'cache-control': 'max-age=0, s-maxage=50' }, 50],
    [{ 'cache-control': ['max-age=60', 's-maxage=5'] }, 5],
    [{ 'cache-control': 'max-age=060' }, 60],
    [{ 'cache-control': 'max-age=99999999999' }, 2 ** 31],
    [{ 'cache-control': 'max-age=60', expires: at(-5) }, 60],
    [{ 'cache-control': 'public', expires: at(30), date: at(0) }, 30],
    [{ expires: at(30), date: at(10) }, 20],
    [{ expires: at(30) }, 30],
    [{ expires: at(30), date: 'today' }, 30],
    [{ expires: at(10), date: at(30) }, 0],
  ])('of %j is %p s', (fields, seconds) => expect(lifetime(fields)).toBe(seconds));

  it('is over where it cannot be read', () => {
    for (const value of ['-5', "'60'", '60.5', 'a60', '', '1 0'])
      expect(lifetime({ 'cache-control': `max-age=${value}`, expires: at(30) })).toBe(0);
    expect(lifetime({ expires: '0' })).toBe(0);
    expect(lifetime({ 'cache-control': 'max-age=60, max-age=5' })).toBe(0);
  });

  it('is not guessed', () => {
    expect(lifetime({ 'last-modified': at(-100_000), 'cache-control': 'public' })).toBeUndefined();
  });

  it('is what CDNs are told, where that is listened to', () => {
    const fields = { 'cdn-cache-control': 'max-age=5', 'cache-control': 'max-age=60', expires: at(90) };
    expect([lifetime(fields, true), lifetime(fields)]).toEqual([5, 60]);
    expect(lifetime({ 'cdn-cache-control': 'public', expires: at(90) }, true)).toBeUndefined();
  });
});

it('terms name what must be validated, and what may be stale', () => {
  const terms = (value: string) => responseTerms({ 'cache-control': value }, false, nowMs);
  expect(terms('no-cache')).toMatchObject({ noCache: true });
  expect(terms('no-cache="a"')).toMatchObject({ noCache: false });
  for (const name of ['must-revalidate', 'proxy-revalidate', 's-maxage=1'])
    expect(terms(name)).toMatchObject({ mustRevalidate: true });
  expect(terms('max-age=1, stale-while-revalidate=7, stale-if-error=9')).toMatchObject({
    mustRevalidate: false,
    staleWhileRevalidateS: 7,
    staleIfErrorS: 9,
  });
});

describe('a targeted field', () => {
  it('is a dictionary of structured fields', () => {
    const found = targetedDirectives('max-age=5, x="a,b", private, no-store=?0');
    expect([...found!]).toEqual([
      ['max-age', '5'],
      ['x', 'a,b'],
      ['private', true],
    ]);
  });

  it('is as if it was not there where it is empty or invalid', () => {
    for (const text of [
      undefined,
      '',
      ' ',
      'max-age=5, &&&',
      'max-age="5"',
      'Max-Age=5',
      'max-age =5',
      'max-age=5,',
      'max-age',
    ])
      expect(targetedDirectives(text)).toBeUndefined();
  });
});

describe('the age of a response when it comes', () => {
  const age = (fields: Fields, askedMs = nowMs) => initialAgeS(fields, askedMs, nowMs);

  it('is what Age says, and how long it was on its way', () => {
    expect(age({ age: '30' }, nowMs - 2_000)).toBe(32);
    expect(age({}, nowMs - 2_000)).toBe(0);
  });

  it('is what Date shows, if that is more', () => {
    expect(age({ age: '30', date: at(-40) })).toBe(40);
    expect(age({ age: '30', date: at(10) })).toBe(30);
  });

  it('is the first of several, and none if it is no number of seconds', () => {
    expect(age({ age: ['7', '9'] })).toBe(7);
    for (const text of ['abc', '-7', '7.0', '7;x', 'old, 7']) expect(age({ age: text })).toBe(0);
  });
});

describe('an HTTP-date', () => {
  it('has three forms, in any case', () => {
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
      'sun, 06 NOV 1994 08:49:37 gmt',
    ])
      expect(parseHttpDate(text, nowMs)).toBe(784_111_777_000);
  });

  it('of two digits is at most fifty years ahead', () => {
    expect(new Date(parseHttpDate('Sunday, 06-Nov-80 08:49:37 GMT', nowMs)!).getUTCFullYear()).toBe(2080);
    expect(new Date(parseHttpDate('Sunday, 06-Nov-81 08:49:37 GMT', nowMs)!).getUTCFullYear()).toBe(1981);
  });

  it('is nothing else', () => {
    for (const text of [
      '0',
      '',
      'Sun, 06 Nov 1994 08:49:37 UTC',
      'Sun, 6 Nov 1994 08:49:37 GMT',
      'Sun, 31 Feb 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 24:49:37 GMT',
      'Sun, 06 Foo 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
      '1994-11-06T08:49:37Z',
    ])
      expect(parseHttpDate(text, nowMs)).toBeUndefined();
  });
});
