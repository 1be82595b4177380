import { type CanActivate, type ExecutionContext, Injectable, Optional, SetMetadata, type Type } from '@nestjs/common';
import { MODULE_PATH, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { notFound, type PathGuard, ProblemException, memoize } from '../../http/index.js';
import { Credentials } from './credentials.js';
import { isSameOrigin, sessionsOf } from './session-cookie.js';

const safeMethods = new Set(['GET', 'HEAD']);

const openKey = 'admin:open';

/** The one admin route that asks for no credential: it takes one. */
export const NeedsNoCredential = () => SetMetadata(openKey, true);

/**
 * Stands before the operator's routes, whichever module serves them: those whose controller, or whose module (`RouterModule`),
 * declares a path that begins with `admin`. It goes by what is declared and never by a URL, so prefixes and versions change
 * nothing.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  readonly #isAdmin = memoize((type: Type) => [...this.#modulePaths(type), ...pathsOf(type)].some(beginsWithAdmin));

  /** @param credentials absent: no token is configured */
  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
    @Optional() private readonly credentials?: Credentials,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http' || !this.concerns(context)) return true;
    const [req, res] = [context.switchToHttp().getRequest<Request>(), context.switchToHttp().getResponse<Response>()];
    if (this.reflector.get<true | undefined>(openKey, context.getHandler())) admitAnybody(req, res);
    else admit(this.credentials, req, res);
    return true;
  }

  /** Whether it ever refuses a request to this route. */
  concerns(context: ExecutionContext): boolean {
    const [type, handler] = [context.getClass(), context.getHandler()];
    return this.#isAdmin(type) || (pathsOf(type).some(isRoot) && pathsOf(handler).some(beginsWithAdmin));
  }

  #modulePaths(type: Type): string[] {
    const owners = [...this.modules.values()].filter(({ controllers }) => controllers.has(type));
    const { applicationId } = this.modules;
    return owners.flatMap(({ metatype }) =>
      [MODULE_PATH + applicationId, MODULE_PATH].flatMap((key) => stringsIn(Reflect.getMetadata(key, metatype))),
    );
  }
}

/**
 * The same for what is mounted without a controller, which declares nothing but its pattern.
 * @param prefixOf the application's prefix, once there is an application
 */
export const adminPaths = (credentials: Credentials | undefined, prefixOf: () => string): PathGuard => ({
  guards: (pattern) => {
    const prefix = prefixOf().replace(/^\/+|\/+$/g, '');
    const path = pattern.replace(/[\\^]/g, '').replace(/^\/+/, '');
    const below = prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : path;
    return beginsWithAdmin(below.replace(/^v\d[^/]*\//, ''));
  },
  openKey,
  admit: (req, res) => admit(credentials, req, res),
});

/**
 * Without a token nothing of it exists; with one, a request needs it as bearer, or the cookie of a session. Nothing says
 * what was wrong with a credential.
 * @throws 401 without a valid credential, 403 for a change that a page of another host asks for
 */
function admit(credentials: Credentials | undefined, req: Request, res: Response): void {
  if (!credentials) throw notFound();
  res.setHeader('Cache-Control', 'no-store');
  const { authorization } = req.headers;
  if (authorization !== undefined) return admitBearer(credentials, authorization);
  if (!sessionsOf(req).some((session) => credentials.acceptsSession(session))) throw unauthorized();
  if (!safeMethods.has(req.method)) assertSameOrigin(req);
}

function admitAnybody(req: Request, res: Response): void {
  res.setHeader('Cache-Control', 'no-store');
  if (req.headers.origin !== undefined) assertSameOrigin(req);
}

function admitBearer(credentials: Credentials, authorization: string): void {
  const isBearer = /^bearer /i.test(authorization);
  if (!credentials.accepts(authorization.slice('bearer '.length).trim()) || !isBearer) throw unauthorized();
}

export function unauthorized(): ProblemException {
  const headers = { 'WWW-Authenticate': 'Bearer realm="strata"' };
  return new ProblemException(401, 'This needs the admin token.', { headers });
}

function assertSameOrigin(req: Request): void {
  if (!isSameOrigin(req)) throw new ProblemException(403, 'A browser may ask for this from pages of this host only.');
}

const stringsIn = (value: unknown): string[] => [value].flat().filter((one) => typeof one === 'string');

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- what Nest calls a handler
const pathsOf = (declared: Function): string[] => stringsIn(Reflect.getMetadata(PATH_METADATA, declared));

const beginsWithAdmin = (path: string): boolean => /^\/*admin(?:\/|$)/i.test(path);

const isRoot = (path: string): boolean => /^\/*$/.test(path);
