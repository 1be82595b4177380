/** Required tests that do not pass, by id: why that is meant to be so. Everything else that is required must pass. */
export const explained: Readonly<Record<string, string>> = {
  'headers-store-Set-Cookie':
    'A response with `Set-Cookie` is never stored: a cookie is for one client, and a cache that hands it to the next one ' +
    'gives a session away. HTTP allows a cache to store less than it may.',
};

/** Optimal tests that do not pass, by id: what is left undone, and why. */
export const leftUndone: Readonly<Record<string, string>> = {
  ...because('Nothing is guessed: a response that does not say how long it is fresh is validated before every use.', [
    ...[200, 203, 204, 404, 405, 410, 414, 501, 599].map((status) => `heuristic-${status}-cached`),
  ]),
  ...because('Answers to POST are not stored.', ['method-POST']),
  ...because('A response with `Set-Cookie` is never stored.', ['other-set-cookie']),
  ...because(
    'Nothing is served from the cache to a request with a cookie unless the route says that cookies make no difference.',
    ['other-cookie'],
  ),
  ...because('Partial responses are not stored; ranges are served from whole ones.', [
    'partial-store-partial-reuse-partial',
    'partial-store-partial-reuse-partial-byterange',
    'partial-store-partial-reuse-partial-absent',
    'partial-store-partial-reuse-partial-suffix',
    'partial-store-partial-complete',
  ]),
  ...because(
    'The test wants a 304 although the response is younger than the date in `If-Modified-Since` (RFC 9110, 13.1.3).',
    ['conditional-lm-fresh-no-lm'],
  ),
  ...because('Languages are compared as texts, without regard to case and white space; q-values are not.', [
    'vary-normalise-lang-order',
    'vary-normalise-lang-select',
  ]),
};

function because(reason: string, ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, reason]));
}
