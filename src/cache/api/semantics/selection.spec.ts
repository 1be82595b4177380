import { downstreamLines } from './downstream.js';
import { type HeaderLine } from './freshen.js';
import { invalidatedUris, isSafe } from './invalidated-uris.js';
import { maxVariants, variantOf, varyNames, withVariant } from './vary.js';

describe('a variant', () => {
  const of = (request: Record<string, string>) => variantOf(['a', 'b'], request);

  it('is of requests that say the same, or both nothing', () => {
    expect(of({ a: '1,2', b: 'x', c: '9' })).toBe(of({ a: '1 , 2', b: 'x' }));
    expect(of({ a: '1' })).toBe(of({ a: '1' }));
    const others = [{ a: '1' }, { b: '1' }, { a: '1', b: '' }, {}, { a: '1', b: '1' }, { a: '', b: '1' }, { a: 'x' }];
    expect(new Set(others.map((request) => of(request as Record<string, string>))).size).toBe(others.length);
  });

  it('by language is the same in any case', () => {
    const language = (text: string) => variantOf(['accept-language'], { 'accept-language': text });
    expect(language('en, DE')).toBe(language('EN,de'));
    expect(variantOf(['a'], { a: 'x' })).not.toBe(variantOf(['a'], { a: 'X' }));
  });

  it('is selected by the names in Vary, whatever their order, case and number', () => {
    expect(varyNames({ vary: ['B, a', 'A'] })).toEqual(['a', 'b']);
    expect(varyNames({})).toEqual([]);
  });

  it('pushes the oldest out where there are too many', () => {
    const full = Array.from({ length: maxVariants }, (_, n) => `v${n}`);
    const { known } = withVariant({ names: ['a'], known: full }, ['a'], 'new');
    expect(known).toEqual([...full.slice(1), 'new']);
    expect(withVariant({ names: ['a'], known: full }, ['a'], 'v0').known).toHaveLength(maxVariants);
  });

  it('is the only one once other names select', () => {
    expect(withVariant({ names: ['a'], known: ['v'] }, ['a', 'b'], 'w')).toEqual({ names: ['a', 'b'], known: ['w'] });
  });
});

describe('an unsafe request', () => {
  const uris = (status: number, answer = {}, target = '/a/b?c', host: string | undefined = 'h:1') =>
    invalidatedUris(target, host, status, answer);

  it('is one of a method that is not known to be safe', () => {
    expect(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH'].map(isSafe)).toEqual([
      ...[true, true, true, true],
      ...[false, false, false, false, false],
    ]);
  });

  it('makes its own URI invalid if it succeeds', () => {
    expect([200, 201, 204, 303].map((status) => uris(status))).toEqual(Array(4).fill(['/a/b?c']));
    expect([400, 404, 500, 503].flatMap((status) => uris(status, { location: '/x' }))).toEqual([]);
  });

  it('makes those invalid that the answer names, on the same origin', () => {
    expect(uris(201, { location: 'x', 'content-location': 'http://h:1/y?z' })).toEqual(['/a/b?c', '/a/x', '/y?z']);
    for (const elsewhere of ['http://h:2/y', '//other/y', 'http://[', 'mailto:a@b'])
      expect(uris(201, { location: elsewhere })).toEqual(['/a/b?c']);
    expect(uris(201, { location: '/x' }, '/a', 'no host')).toEqual(['/a']);
  });
});

describe('what is said downstream', () => {
  const said = (own: HeaderLine[], policy: 'strict' | 'ttl', options = {}, tags = ['things:1', 'things:*']) =>
    downstreamLines(own, policy, 60, tags, options);

  it('is that everybody has to ask again, unless the handler says something else', () => {
    expect(said([], 'ttl')).toEqual([['Cache-Control', 'no-cache']]);
    expect(said([['cache-control', 'max-age=9']], 'ttl')).toEqual([['cache-control', 'max-age=9']]);
    expect(said([['Expires', 'x']], 'ttl')).toEqual([['Expires', 'x']]);
  });

  it('is never a lifetime under strict', () => {
    const own: HeaderLine[] = [
      ['Cache-Control', 'max-age=9, private'],
      ['Expires', 'x'],
      ['CDN-Cache-Control', 'max-age=9'],
      ['Surrogate-Control', 'max-age=9'],
      ['A', '1'],
    ];
    expect(said(own, 'strict', { cdnMaxAgeS: 30 })).toEqual([
      ['A', '1'],
      ['Cache-Control', 'no-cache, private'],
    ]);
    expect(said([], 'strict', { cdnMaxAgeS: 30 })).toEqual([['Cache-Control', 'no-cache']]);
  });

  it('is a lifetime for CDNs where the route has one, never longer than here', () => {
    expect(said([], 'ttl', { cdnMaxAgeS: 30 })).toContainEqual(['CDN-Cache-Control', 'max-age=30']);
    expect(said([], 'ttl', { cdnMaxAgeS: 90 })).toContainEqual(['CDN-Cache-Control', 'max-age=60']);
    expect(said([['Cache-Control', 'no-store']], 'ttl', { cdnMaxAgeS: 30 })).toEqual([['Cache-Control', 'no-store']]);
    expect(said([['CDN-Cache-Control', 'max-age=1']], 'ttl', { cdnMaxAgeS: 30 })).toHaveLength(2);
  });

  it('is what it was made of where the route wants that, as a list of strings', () => {
    expect(said([], 'ttl', { groups: true })).toContainEqual(['Cache-Groups', '"things:1", "things:*"']);
    expect(said([], 'ttl', { groups: true }, ['a"b\\c'])).toContainEqual(['Cache-Groups', '"a\\"b\\\\c"']);
    expect(said([], 'ttl', { groups: true }, [])).toHaveLength(1);
    const many = [...Array.from({ length: 40 }, (_, n) => `things:${n}`), 'things:*'];
    expect(said([], 'ttl', { groups: true }, many)).toContainEqual(['Cache-Groups', '"things:*"']);
  });
});
