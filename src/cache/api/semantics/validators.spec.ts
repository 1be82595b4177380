import { byteRange } from './byte-range.js';
import { type Fields } from './fields.js';
import { freshened, type HeaderLine } from './freshen.js';
import { isNotModified, validatorsOf } from './validators.js';

const nowMs = Date.UTC(2030, 0, 2, 3, 4, 5);
const at = (seconds: number) => new Date(nowMs + seconds * 1_000).toUTCString();

describe('304', () => {
  const known = (request: Fields, stored: Fields) => isNotModified(request, stored, nowMs);

  it('is for a client that has one of the tags, weakly compared', () => {
    for (const given of ['"a"', 'W/"a"', '"x", "a"', '"x,y" ,W/"a","z"', '*'])
      expect(known({ 'if-none-match': given }, { etag: '"a"' })).toBe(true);
    expect(known({ 'if-none-match': '"a"' }, { etag: 'W/"a"' })).toBe(true);
    for (const given of ['"b"', 'a', '"a', '"A"', '"x, "a" y"']) {
      const same = given === '"x, "a" y"';
      expect(known({ 'if-none-match': given }, { etag: same ? '"b"' : '"a"' })).toBe(false);
    }
    expect(known({ 'if-none-match': '"a"' }, {})).toBe(false);
  });

  it('goes by dates only where there are no tags', () => {
    const stored = { etag: '"a"', 'last-modified': at(-10) };
    expect(known({ 'if-none-match': '"b"', 'if-modified-since': at(0) }, stored)).toBe(false);
    expect(known({ 'if-modified-since': at(-10) }, stored)).toBe(true);
    expect(known({ 'if-modified-since': at(-11) }, stored)).toBe(false);
    expect(known({ 'if-modified-since': 'lately' }, stored)).toBe(false);
    expect(known({}, stored)).toBe(false);
  });

  it('goes by the date of a response that does not say when it changed', () => {
    expect(known({ 'if-modified-since': at(5) }, { date: at(5) })).toBe(true);
    expect(known({ 'if-modified-since': at(4) }, { date: at(5) })).toBe(false);
  });

  it('brings new fields, but for those that the bytes depend on', () => {
    const stored: HeaderLine[] = [
      ['A', '1'],
      ['Content-Encoding', 'gzip'],
      ['Cache-Control', 'max-age=1'],
    ];
    const news: HeaderLine[] = [
      ['cache-control', 'max-age=2'],
      ['B', ['x', 'y']],
      ['content-encoding', 'br'],
      ['Content-Length', '9'],
    ];
    expect(freshened(stored, news)).toEqual([
      ['A', '1'],
      ['Content-Encoding', 'gzip'],
      ['cache-control', 'max-age=2'],
      ['B', ['x', 'y']],
    ]);
  });

  it('is asked for with what is stored', () => {
    expect(validatorsOf({ etag: '"a"', 'last-modified': at(0) })).toEqual({ etag: '"a"', lastModified: at(0) });
    expect(validatorsOf({})).toEqual({});
  });
});

describe('a range', () => {
  const range = (text: string, ifRange?: string) =>
    byteRange({ range: text, ...(ifRange !== undefined && { 'if-range': ifRange }) }, '"a"', 10);

  it('is of bytes, from the beginning or from the end', () => {
    expect(range('bytes=0-1')).toEqual({ first: 0, last: 1 });
    expect(range('bytes=8-')).toEqual({ first: 8, last: 9 });
    expect(range('bytes=8-99')).toEqual({ first: 8, last: 9 });
    expect(range('bytes=-3')).toEqual({ first: 7, last: 9 });
    expect(range('bytes=-99')).toEqual({ first: 0, last: 9 });
  });

  it('past the end cannot be had', () => {
    expect(range('bytes=10-')).toBe('unsatisfiable');
    expect(range('bytes=-0')).toBe('unsatisfiable');
  });

  it('is the whole where it is not one range of these very bytes', () => {
    for (const text of ['bytes=-', 'bytes=3-1', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b', ''])
      expect(range(text)).toBeUndefined();
    expect(range('bytes=0-1', '"a"')).toEqual({ first: 0, last: 1 });
    for (const text of ['"b"', 'W/"a"', at(0)]) expect(range('bytes=0-1', text)).toBeUndefined();
    expect(byteRange({ range: 'bytes=0-1', 'if-range': 'W/"a"' }, 'W/"a"', 10)).toBeUndefined();
  });
});
