import fc from 'fast-check';

/** A request as text, and what is needed to read its answer. */
export interface WireRequest {
  readonly method: string;
  readonly text: string;
}

/** Requests that are sent together, in these pieces; at the end perhaps one that is none. */
export interface Conversation {
  readonly requests: readonly WireRequest[];
  /** What is sent once the others have been answered: half a request, or none at all. Then the client falls silent. */
  readonly ending: string;
  /** Where the text is cut, as shares of it. */
  readonly cuts: readonly number[];
}

/** The entity tags that the service has answered with so far. */
export type KnownTags = () => readonly string[];

const often = <T>(...values: readonly T[]) => fc.constantFrom(...values);

const itemTarget = fc
  .tuple(
    often('/items/', '/items//', '//items/', '/Items/', '/%69tems/', '/items/./', 'http://x/items/'),
    fc.oneof(fc.integer({ min: 1, max: 12 }).map(String), often('900000', '0', '01', 'abc', '2147483648', '%31', '1%00')),
    often('', '', '', '/', '//', '?', '?x=1', '#f', '/x'),
  )
  .map(([path, id, end]) => `${path}${id}${end}`); // prettier-ignore

const parameter = fc.oneof(
  often('limit=2', 'limit=02', 'limit=%32', 'limit=100', 'limit=0', 'limit=x', 'limit='),
  often('sort=id', 'sort=-price', 'sort=name', 'sort=nothing', 'sort=%2Dprice', 'sort=%2dprice'),
  often('category=tools', 'category=t%6fols', 'category=T%4Fols', 'category=toys', 'category='),
  often('q=Ham', 'q=%48am', 'q=h+a', 'q=%zz', 'q=%00', 'q=%C3%A4', 'q=%c3%a4'),
  often('x=1', '__proto__=1', 'limit', '=', '', 'cursor=abc'),
);
const listTarget = fc
  .tuple(often('/items', '/items/', '/items//'), fc.array(parameter, { maxLength: 3 }), often('?', '?', '??'))
  .map(([path, parameters, mark]) => (parameters.length > 0 ? `${path}${mark}${parameters.join('&')}` : path));

const plainTarget = often('/items/1', '/items/2', '/items/3', '/items', '/items?limit=100', '/items?category=tools');
const target = fc.oneof(
  { weight: 5, arbitrary: plainTarget },
  { weight: 3, arbitrary: itemTarget },
  { weight: 3, arbitrary: listTarget },
  { weight: 1, arbitrary: often('/', '*', '/nope', '/docs-json', '/health/live', `/items?q=${'x'.repeat(3_000)}`) },
);

const quality = often('', '', ';q=1', ';q=0.5', ';q=0', ';q=0.001', '; q=0.8', ';q=x', ';q=1.5');
const codings = fc
  .array(fc.tuple(often('gzip', 'br', 'identity', '*', 'deflate', 'x-gzip', 'GZIP', ''), quality), { maxLength: 4 })
  .map((list) => list.map(([coding, q]) => `${coding}${q}`).join(', '));

function noneMatch(tags: KnownTags): fc.Arbitrary<string> {
  // Tags are looked up when the text is made: those of another run would never match.
  const known = fc.nat().map((n) => tags()[n % Math.max(1, tags().length)] ?? '"none"');
  const one = fc.tuple(often('', '', 'W/', 'w/'), fc.oneof(known, known, often('"none"', '""', 'bare', '"a,b"', '"')));
  return fc.oneof(often('*', '', ' * ', '*, *'), fc.array(one.map((parts) => parts.join('')), { minLength: 1, maxLength: 3 }).map((list) => list.join(', '))); // prettier-ignore
}

/** Fields that must never change a shared answer, and others that no answer of this service looks at. */
const unkeyed: readonly (readonly [string, readonly string[]])[] = [
  ['X-Forwarded-For', ['10.0.0.1', '::1, 1.2.3.4']],
  ['X-Forwarded-Host', ['evil.example', 'a"b']],
  ['X-Forwarded-Proto', ['https', 'javascript']],
  ['X-Forwarded-Prefix', ['/evil']],
  ['Forwarded', ['host=evil.example']],
  ['X-Original-URL', ['/items/2']],
  ['X-HTTP-Method-Override', ['DELETE']],
  ['Accept-Language', ['de', 'fr;q=0.1', '']],
  ['Cookie', ['session=1', 'a']],
  ['Authorization', ['Bearer x', 'Basic eDp5']],
  ['User-Agent', ['x', 'Mozilla/5.0']],
  ['Origin', ['http://evil.example', 'null']],
  ['Referer', ['http://x/']],
];

export const unkeyedField = fc
  .constantFrom(...unkeyed)
  .chain(([name, values]) => fc.constantFrom(...values).map((value) => `${name}: ${value}`));

const choosing: readonly (readonly [string, readonly string[]])[] = [
  ['Accept', ['*/*', 'application/json', 'text/html', 'application/*;q=0.1', 'application/json;q=0', '', 'x']],
  ['Cache-Control', ['no-cache', 'max-age=0', 'only-if-cached', 'max-stale', 'no-transform', '']],
  ['Pragma', ['no-cache']],
  ['Range', ['bytes=0-3', 'bytes=9-']],
  ['If-Range', ['"x"']],
  ['If-Match', ['*', '"x"']],
  ['If-Modified-Since', ['Mon, 01 Jan 2035 00:00:00 GMT', 'x']],
  ['Connection', ['close', 'keep-alive', 'upgrade', 'Accept-Encoding', '']],
  ['Upgrade', ['h2c']],
  ['TE', ['trailers']],
  ['Expect', ['100-continue']],
  ['X-Request-Id', ['one', '<']],
  ['X-Anything', ['']],
];
const choosingField = fc
  .constantFrom(...choosing)
  .chain(([name, values]) => fc.constantFrom(...values).map((value) => `${name}: ${value}`));

const recapitalised = (line: string) => fc.constantFrom(line, line.toLowerCase().replace(/:.*/, line.replace(/^[^:]*/, '')), line.replace(/^[^:]*/, (name) => name.toUpperCase())); // prettier-ignore

/** One that the service can read. Those that would change something are refused by it: their bodies are no items. */
export function wireRequest(tags: KnownTags): fc.Arbitrary<WireRequest> {
  const field = fc
    .oneof(
      { weight: 4, arbitrary: codings.map((value) => `Accept-Encoding: ${value}`) },
      { weight: 4, arbitrary: noneMatch(tags).map((value) => `If-None-Match: ${value}`) },
      { weight: 4, arbitrary: unkeyedField },
      { weight: 2, arbitrary: choosingField },
    )
    .chain(recapitalised);
  const method = fc.oneof(
    { weight: 8, arbitrary: often('GET') },
    { weight: 3, arbitrary: often('HEAD') },
    { weight: 1, arbitrary: often('OPTIONS', 'PATCH', 'PUT', 'POST', 'PROPFIND', 'PURGE') },
  );
  const smuggled = 'GET /items/2 HTTP/1.1\r\nHost: x\r\n\r\n';
  const body = fc.oneof(
    { weight: 8, arbitrary: often('') },
    { weight: 1, arbitrary: often('{}', smuggled).map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`) },
    { weight: 1, arbitrary: often(`Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`) },
  );
  const parts = fc.tuple(
    method,
    target,
    often('1.1', '1.1', '1.1', '1.0'),
    often('x', 'evil.example'),
    fc.array(field, { maxLength: 4 }),
    body,
  );
  return parts.map(([name, url, version, host, fields, content]) => {
    const lines = [`${name} ${url} HTTP/${version}`, `Host: ${host}`, ...fields];
    return { method: name, text: `${lines.join('\r\n')}\r\n${content === '' ? '\r\n' : content}` };
  });
}

const noRequest = often(
  'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET /items/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'GET /items/1 HTTP/1.1\r\n\r\n',
  'GET /items/1 HTTP/9.9\r\nHost: x\r\n\r\n',
  'GET /items/1\r\n\r\n',
  'GET /items/1 HTTP/1.1\nHost: x\n\n',
  'GET  /items/1 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /items/1 HTTP/1.1\r\nHost : x\r\n\r\n',
  'GET /items/1 HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n',
  'G\0T /items/1 HTTP/1.1\r\n\r\n',
);

/** After it the connection closes. What a client sends behind it races with Node's own 400 to it, lane or no lane. */
const closes = ({ text }: WireRequest) => /^\S+ \S+ HTTP\/1\.0\r\n|\r\nconnection: *close/i.test(text);

/** Node writes its interim answer at once, perhaps into the middle of an earlier one: nobody pipelines it. */
const expects = ({ text }: WireRequest) => /\r\nexpect:/i.test(text);

export function conversation(tags: KnownTags): fc.Arbitrary<Conversation> {
  const request = wireRequest(tags);
  const half = fc
    .tuple(request, fc.double({ min: 0.05, max: 0.95, noNaN: true }))
    .map(([{ text }, share]) => text.slice(0, Math.ceil(text.length * share)));
  const conversations = fc.record({
    requests: fc.array(request, { minLength: 1, maxLength: 4 }),
    ending: fc.oneof(
      { weight: 6, arbitrary: often('') },
      { weight: 1, arbitrary: half },
      { weight: 1, arbitrary: noRequest },
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  });
  return conversations.map((talk) => {
    const alone = talk.requests.find(expects);
    if (alone) return { ...talk, requests: [alone], ending: '' };
    const last = talk.requests.findIndex(closes);
    return last === -1 ? talk : { ...talk, requests: talk.requests.slice(0, last + 1), ending: '' };
  });
}
