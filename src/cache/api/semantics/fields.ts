/** Header fields of a message, under lower-case names; several lines of one name are several elements. */
export type Fields = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** The value of a field with its lines joined, as RFC 9110, 5.3 lets anyone do; undefined where it is absent. */
export function field(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Members of a list field (RFC 9110, 5.6.1): trimmed, empty ones left out. For members that are not quoted. */
export function members(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}
