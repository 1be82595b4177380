import { type Fields, field } from './fields.js';

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Methods that change nothing (RFC 9110, 9.2.1). Whatever is not known to be safe is not. */
export const isSafe = (method: string): boolean => safe.has(method);

/**
 * The URIs (path and query) whose stored responses a request makes invalid (RFC 9111, 4.4): its own, and those that
 * `Location` and `Content-Location` of the answer name on the same origin. None if the answer is an error.
 * @param target path and query of the request
 * @param host of the request
 */
export function invalidatedUris(target: string, host: string | undefined, status: number, answer: Fields): string[] {
  if (status < 200 || status >= 400) return [];
  const base = parseUrl(target, `http://${host ?? 'localhost'}`);
  const named = ['location', 'content-location'].flatMap((name) => {
    const text = field(answer, name);
    const url = text === undefined ? undefined : parseUrl(text, base);
    return url && url.host === base?.host ? [url.pathname + url.search] : [];
  });
  return [...new Set([target, ...named])];
}

function parseUrl(text: string, base: URL | string | undefined): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
