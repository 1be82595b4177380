import { badRequest } from '../answer/problem.js';

/** A parsed `If-Match`: says whether a request may act on the representation with this tag. */
export interface IfMatch {
  allows(etag: string): boolean;
}

const entityTag = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;
const encodingSuffix = /-(?:gzip|br|deflate|zstd)$/;

/**
 * Parses `If-Match` (RFC 9110, 13.1.1) with strong comparison: weak tags never match. A tag that names a content encoding
 * before its closing quote stands for the same version as the plain one.
 * @throws 400 when the header is malformed
 */
export function parseIfMatch(header: string | undefined): IfMatch | undefined {
  if (header === undefined) return undefined;
  const members = header.match(/(?:[^,"]|"[^"]*"?)+/g)?.map((member) => member.trim()) ?? [];
  const given = members.filter((member) => member !== '');
  if (given.length === 1 && given[0] === '*') return { allows: () => true };
  const tags = given.map((member) => entityTag.exec(member));
  if (tags.length === 0 || tags.includes(null))
    throw badRequest({ in: 'header', field: 'If-Match', message: 'must be * or a list of entity tags in quotes' });
  const strong = tags.flatMap((tag) => (tag && !tag[1] ? [(tag[2] ?? '').replace(encodingSuffix, '')] : []));
  return { allows: (etag) => strong.includes(etag.slice(1, -1)) };
}
