import { type CookieOptions, type Request } from 'express';
import { parentPath } from '../../http/index.js';
import { sessionSeconds } from './credentials.js';

export const sessionCookie = 'strata_session';

/** Values of every cookie of that name: a site on a sibling path may have set one more. */
export function sessionsOf({ headers: { cookie } }: Request): string[] {
  if (cookie === undefined) return [];
  return cookie
    .split(';', 64)
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookie}=`))
    .map((pair) => pair.slice(sessionCookie.length + 1));
}

/** For the routes beside the session's own, wherever that is. `Secure` only where the browser came by https: over plain http it would drop the cookie. */
export function cookieOptions(req: Request): CookieOptions {
  const secure = req.secure || (req.headers.origin?.startsWith('https:') ?? false);
  return { path: parentPath(req) || '/', httpOnly: true, sameSite: 'strict', secure, maxAge: sessionSeconds * 1000 };
}

/** Whether a request that a browser sent comes from a page of this very host. */
export function isSameOrigin({ headers: { origin, host } }: Request): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}
