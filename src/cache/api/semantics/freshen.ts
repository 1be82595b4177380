/** A header field as it goes over the wire, in its own spelling. */
export type HeaderLine = readonly [name: string, value: string | readonly string[]];

/** Fields that the stored bytes depend on: they stay as they are (RFC 9111, 3.2). */
const ofTheBody = new Set(['content-length', 'content-encoding', 'content-range']);

/** The stored fields after a 304 (RFC 9111, 3.2 and 4.3.4): what it brings replaces what was there, but for what the bytes depend on. */
export function freshened(stored: readonly HeaderLine[], validated: readonly HeaderLine[]): HeaderLine[] {
  const news = validated.filter(([name]) => !ofTheBody.has(name.toLowerCase()));
  const replaced = new Set(news.map(([name]) => name.toLowerCase()));
  return [...stored.filter(([name]) => !replaced.has(name.toLowerCase())), ...news];
}
