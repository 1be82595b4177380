import { type Request, type Response } from 'express';
import { type Credentials } from './credentials.js';
import { ProblemException, type PathGuard } from '../../http/index.js';
import { isSameOrigin, sessionsOf } from './session-cookie.js';

const safeMethods = new Set(['GET', 'HEAD']);

/**
 * Stands before `/admin` and everything below it, whichever module serves it. Without a token none of it exists; with
 * one, a request needs it as bearer, or the cookie of a session. Nothing says what was wrong with a credential.
 */
export class AdminGuard implements PathGuard {
  /** @param credentials undefined: no token is configured */
  constructor(private readonly credentials: Credentials | undefined) {}

  hides(path: string): boolean {
    return this.credentials === undefined && isAdmin(path);
  }

  /** @throws 401 without a valid credential, 403 for a change that a page of another host asks for */
  admit(req: Request, res: Response): void {
    if (!isAdmin(req.path)) return;
    res.setHeader('Cache-Control', 'no-store');
    const { authorization, origin } = req.headers;
    if (isSignIn(req)) return origin === undefined ? undefined : assertSameOrigin(req);
    if (authorization !== undefined) return this.#admitBearer(authorization);
    if (!sessionsOf(req).some((session) => this.credentials?.acceptsSession(session))) throw unauthorized();
    if (!safeMethods.has(req.method)) assertSameOrigin(req);
  }

  #admitBearer(authorization: string): void {
    const isBearer = /^bearer /i.test(authorization);
    const matches = this.credentials?.accepts(authorization.slice('bearer '.length).trim()) ?? false;
    if (!isBearer || !matches) throw unauthorized();
  }
}

export function unauthorized(): ProblemException {
  const headers = { 'WWW-Authenticate': 'Bearer realm="strata"' };
  return new ProblemException(401, 'This needs the admin token.', { headers });
}

function assertSameOrigin(req: Request): void {
  if (!isSameOrigin(req)) throw new ProblemException(403, 'A browser may ask for this from pages of this host only.');
}

const isAdmin = (path: string): boolean => /^\/admin(?:\/|$)/i.test(path);

const isSignIn = ({ method, path }: Request): boolean => method === 'POST' && /^\/admin\/session\/?$/.test(path);
