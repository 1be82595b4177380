/** Required tests that do not pass, by id: why that is meant to be so. Everything else that is required must pass. */
export const explained: Readonly<Record<string, string>> = {
  'headers-store-Set-Cookie':
    'A response with `Set-Cookie` is never stored: a cookie is for one client, and a cache that hands it to the next one ' +
    'gives a session away. HTTP allows a cache to store less than it may.',
};

/** Optimal tests that do not pass, by the beginning of their ids: what is left undone, and why. */
export const leftUndone: readonly (readonly [ids: string, reason: string])[] = [
  [
    'heuristic-',
    'Nothing is guessed: a response that does not say how long it is fresh is validated before every use.',
  ],
  ['method-POST', 'Answers to POST are not stored.'],
  ['other-set-cookie', 'A response with `Set-Cookie` is never stored.'],
  [
    'other-cookie',
    'Nothing is served from the cache to a request with a cookie unless the route says that cookies make no difference.',
  ],
  ['partial-store-partial', 'Partial responses are not stored; ranges are served from whole ones.'],
  [
    'conditional-lm-fresh-no-lm',
    'The test wants a 304 although the response is younger than the date in `If-Modified-Since` (RFC 9110, 13.1.3).',
  ],
  ['vary-normalise-lang', 'Languages are compared as texts, without regard to case and white space; q-values are not.'],
];
