/** Directives of a `Cache-Control` field under lower-case names; `true` where one has no argument. */
export type Directives = ReadonlyMap<string, string | true>;

/** What an argument becomes that cannot be what the directive wants: kept, so that it is known to be there. */
export const malformed = '';

/** Larger numbers of seconds than this one are as good as this one (RFC 9111, 1.2.2). */
const largestS = 2 ** 31;

const member = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+)))?([^,"]|"(?:[^"\\]|\\.)*"?)*/y;

/**
 * Parses `Cache-Control` (RFC 9111, 5.2). Fails closed: of a member that is not well-formed the name still counts, with an
 * argument that no directive takes; a directive that says two different things says nothing valid (4.2.1).
 */
export function parseDirectives(text: string | undefined): Directives {
  const found = new Map<string, string | true>();
  if (text === undefined) return found;
  member.lastIndex = 0;
  for (let match = member.exec(text); match; match = member.exec(text)) {
    const [, name = '', argument, quoted, token, rest] = match;
    const value = rest?.trim() ? malformed : argument === undefined ? true : (unescaped(quoted) ?? token ?? malformed);
    const key = name.toLowerCase();
    const before = found.get(key);
    found.set(key, before === undefined || before === value ? value : malformed);
  }
  return found;
}

const unescaped = (quoted: string | undefined): string | undefined => quoted?.replaceAll(/\\(.)/g, '$1');

/** Seconds (RFC 9111, 1.2.2); undefined where the text is no such number. */
export function deltaSeconds(value: string | true | undefined): number | undefined {
  return typeof value === 'string' && /^\d+$/.test(value) ? Math.min(Number(value), largestS) : undefined;
}

/** The field names that a directive's argument lists (`no-cache="set-cookie"`), in lower case. */
export function listedFields(value: string | true | undefined): string[] {
  return typeof value === 'string'
    ? value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean)
    : [];
}
