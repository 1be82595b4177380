import { type Directives } from './directives.js';

const member =
  /^[ \t]*([a-z*][a-z0-9_.*-]*)(?:=(-?\d{1,15}|-?\d{1,12}\.\d{1,3}|[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|"(?:[ !#-[\]-~]|\\["\\])*"|\?[01]))?[ \t]*$/;
const integer = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);

/**
 * A targeted field such as `CDN-Cache-Control`: a Dictionary of Structured Fields (RFC 9213, 2.1). Undefined where it is
 * absent, empty or invalid, or a number is none: then it is as if it was not there.
 */
export function targetedDirectives(text: string | undefined): Directives | undefined {
  const found = new Map<string, string | true>();
  for (const part of text?.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+|,\s*(?=,|$)/g) ?? []) {
    const match = member.exec(part);
    if (!match) return undefined;
    const [, name = '', value] = match;
    if (integer.has(name) && !/^\d+$/.test(value ?? '')) return undefined;
    if (value === '?0') found.delete(name);
    else found.set(name, value === undefined || value === '?1' ? true : value.replace(/^"(.*)"$/, '$1'));
  }
  return found.size > 0 ? found : undefined;
}
