/**
 * Longer keys are not kept. With the bounds of the parameters themselves, the bytes of L1 (keys count) and the TTL in L2, this
 * bounds what made-up requests can cost. In characters.
 */
export const maxKeyLength = 4_096;

type Value = string | number | boolean | undefined;

/**
 * The canonical text of parameters: names in order, values as their type prints them, defaults left out. Of the same values
 * it is always the same text, however a URL spelled them.
 * @param query validated values by name: none that the route does not know
 * @param defaults what an omitted parameter means
 */
export function canonicalQuery<Query extends object>(query: Query, defaults: Partial<Query> = {}): string {
  const given = Object.entries(query as Readonly<Record<string, Value>>)
    .filter(([name, value]) => value !== undefined && value !== (defaults as Record<string, Value>)[name])
    .map(([name, value]): [string, string] => [name, String(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return new URLSearchParams(given).toString();
}

/** The key of a path and its parameters. @see canonicalQuery */
export function canonicalKey<Query extends object>(path: string, query: Query, defaults: Partial<Query> = {}): string {
  const text = canonicalQuery(query, defaults);
  return text === '' ? path : `${path}?${text}`;
}
