import { deserialise } from '../api/stored-response.js';
import { type Layer } from '../events.js';

/** The version of the row in an entry: null for a row known to be absent, undefined for what is no single row. */
export function versionIn(layer: Layer, text: string): number | null | undefined {
  const value: unknown = JSON.parse(layer === 'api' ? deserialise(text).body : text);
  if (value === null) return null;
  const { version } = value as { readonly version?: unknown };
  return typeof version === 'number' ? version : undefined;
}
