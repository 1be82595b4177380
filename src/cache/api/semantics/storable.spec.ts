import { parseDirectives } from './directives.js';
import { type Fields } from './fields.js';
import { passedOn, refuseStorage, storedFields } from './storable.js';

const anyone = { authorized: false, noStore: false };
const refuse = (fields: Fields, status = 200, request = anyone) => refuseStorage(request, status, fields);
const cc = (value: string) => ({ 'cache-control': value });

describe('a response is stored', () => {
  it('with any final status', () => {
    for (const status of [200, 204, 301, 404, 410, 503, 599]) expect(refuse(cc('max-age=5'), status)).toBeUndefined();
  });

  it('not if it answers a condition or a range', () => {
    for (const status of [103, 206, 304, 412, 416]) expect(refuse(cc('max-age=5'), status)).toBe('partial');
  });

  it('not against no-store and private, however they are written', () => {
    for (const text of ['no-store', 'max-age=5, No-StOrE', 'no-store="x"', 'no-store;x', ' ,no-store'])
      expect(refuse(cc(text))).toBe('no-store');
    for (const text of ['private', 'private="set-cookie"', 'max-age=5,PRIVATE'])
      expect(refuse(cc(text))).toBe('private');
  });

  it('although no-store is quoted by something else', () => {
    expect(refuse(cc('x="no-store", max-age=5'))).toBeUndefined();
  });

  it('against no-store where must-understand says so and the status is understood', () => {
    expect(refuse(cc('no-store, must-understand, max-age=5'))).toBeUndefined();
    expect(refuse(cc('no-store, must-understand, max-age=5'), 599)).toBe('not-understood');
    expect(refuse(cc('must-understand, max-age=5'), 299)).toBe('not-understood');
  });

  it('never with a cookie', () => {
    expect(refuse({ ...cc('public, max-age=5'), 'set-cookie': ['a=b'] })).toBe('set-cookie');
  });

  it('never if it varies by everything', () => {
    for (const vary of ['*', 'a, *', '*, a', ', *', ['a', '*']])
      expect(refuse({ ...cc('max-age=5'), vary })).toBe('vary');
  });

  it('of a request with Authorization only if it says that it may be', () => {
    const authorized = { authorized: true, noStore: false };
    expect(refuse(cc('max-age=5'), 200, authorized)).toBe('authorization');
    for (const text of ['public', 'must-revalidate', 's-maxage=5'])
      expect(refuse(cc(text), 200, authorized)).toBeUndefined();
  });

  it('not if the request forbids it', () => {
    expect(refuse(cc('max-age=5'), 200, { authorized: false, noStore: true })).toBe('request-no-store');
  });

  it('by what is aimed at CDNs, where that is listened to', () => {
    const fields = { 'cdn-cache-control': 'max-age=5', ...cc('no-store') };
    expect(refuseStorage(anyone, 200, fields, true)).toBeUndefined();
    expect(refuseStorage(anyone, 200, fields, false)).toBe('no-store');
    expect(refuseStorage(anyone, 200, { 'cdn-cache-control': 'private', ...cc('max-age=5') }, true)).toBe('private');
  });
});

describe('fields', () => {
  it('of the connection are not passed on, nor those that it names', () => {
    const passes = passedOn({ connection: 'A, keep-alive' });
    for (const name of ['Connection', 'a', 'Transfer-Encoding', 'Age', 'Content-Length'])
      expect(passes(name)).toBe(false);
    for (const name of ['B', 'ETag', 'Vary']) expect(passes(name)).toBe(true);
  });

  it('that no-cache names are not stored', () => {
    const stores = storedFields(cc('no-cache="a, B", max-age=5'));
    expect(['A', 'b', 'c'].map(stores)).toEqual([false, false, true]);
  });
});

describe('directives', () => {
  const parsed = (text: string) => Object.fromEntries(parseDirectives(text));

  it('have names without case, and arguments as tokens or quoted', () => {
    expect(parsed('Max-Age=5, x="a, \\"b\\"", public')).toEqual({ 'max-age': '5', x: 'a, "b"', public: true });
  });

  it('that are not well-formed are there all the same, with an argument that nothing takes', () => {
    for (const text of ['max-age =5', 'max-age= 5', 'max-age=', 'max-age=5 6', 'max-age="5'])
      expect(parsed(text)).toEqual({ 'max-age': '' });
  });

  it('that contradict themselves say nothing valid', () => {
    expect(parsed('max-age=5, max-age=5')).toEqual({ 'max-age': '5' });
    expect(parsed('max-age=5, max-age=6')).toEqual({ 'max-age': '' });
  });

  it('are found in no time in what is meant to be slow', () => {
    const startedMs = performance.now();
    for (const text of [',= '.repeat(50_000), 'a="'.repeat(50_000), `a${' '.repeat(50_000)}=`, 'a=b;'.repeat(50_000)])
      parseDirectives(text);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
