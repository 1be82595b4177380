import { type Representation } from '../../http/index.js';

/** A whole response as the api layer keeps it. */
export interface StoredResponse extends Representation {
  /** Wall clock of the node that made it, in ms: what `Age` counts from. */
  readonly madeAtMs: number;
}

/** One line of head, then the body untouched: it is JSON text already and is not quoted a second time. */
export function serialise({ body, ...head }: StoredResponse): string {
  return `${JSON.stringify(head)}\n${body}`;
}

export function deserialise(text: string): StoredResponse {
  const end = text.indexOf('\n');
  return { ...(JSON.parse(text.slice(0, end)) as Omit<StoredResponse, 'body'>), body: text.slice(end + 1) };
}

/** `Age` (RFC 9111, 5.1): whole seconds since it was made. */
export function ageSeconds({ madeAtMs }: Pick<StoredResponse, 'madeAtMs'>, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - madeAtMs) / 1000));
}
