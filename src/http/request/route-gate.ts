import { type Request, type RequestHandler, type Response } from 'express';
import { isOfController, metadataOf, type RouterLayer } from '../express-routes.js';
import { notFound, ProblemException } from '../answer/problem.js';

/** What may enter a guarded part of the paths that no controller serves. */
export interface PathGuard {
  /** Whether this pattern, as it was given to Express, is of that part. */
  guards(pattern: string): boolean;
  /** Metadata of the controllers' methods that everybody may use there. */
  readonly openKey: string;
  /** @throws {ProblemException} 401, 403, 404 */
  admit(req: Request, res: Response): void;
}

interface Resource {
  readonly layer: RouterLayer;
  readonly methods: Set<string>;
}

/**
 * The first checks of every request, and OPTIONS: an unknown path is 404, a known one with another method 405 with
 * `Allow` (RFC 9110, 15.5.6). Reads the routes that are registered, so that no module needs to list its own. Routers and
 * files that are mounted without a controller, which no guard of Nest's stands before, are guarded here.
 */
export function routeGate(layers: () => readonly RouterLayer[], guard?: PathGuard): RequestHandler {
  let table: RouteTable | undefined;
  return (req, res, next) => {
    table ??= new RouteTable(layers(), guard);
    const allowed = table.methodsOf(req);
    if (allowed !== 'mounted' && allowed.size === 0) throw notFound();
    if (allowed === 'mounted' || (allowed.has(req.method) && req.method !== 'OPTIONS')) {
      if (table.isGuarded(req)) guard?.admit(req, res);
      return next();
    }
    const allow = [...allowed].sort().join(', ');
    if (req.method !== 'OPTIONS')
      throw new ProblemException(405, `Allowed here: ${allow}.`, { headers: { Allow: allow } });
    res.status(204).set('Allow', allow).end();
  };
}

class RouteTable {
  private readonly resources: readonly Resource[];
  /** Handlers mounted on a whole subtree (files, another router): each answers for its own paths and methods. */
  private readonly mounts: readonly RouterLayer[];
  private readonly guarded: readonly RouterLayer[];
  private readonly open: readonly RouterLayer[];

  constructor(layers: readonly RouterLayer[], guard: PathGuard | undefined) {
    this.mounts = layers.filter((layer) => !layer.route && !layer.slash);
    this.resources = [...resourcesOf(layers)];
    this.guarded = layers.filter(
      (layer) => guard && !isOfController(layer) && patternsOf(layer).some((pattern) => guard.guards(pattern)),
    );
    this.open = layers.filter((layer) => guard && metadataOf(guard.openKey, layer) === true);
  }

  /** @throws URIError (status 400) when a parameter of the path cannot be decoded */
  methodsOf({ path }: Request): ReadonlySet<string> | 'mounted' {
    const matching = this.resources.filter(({ layer }) => layer.match(path));
    if (matching.length === 1 && matching[0]) return matching[0].methods;
    if (matching.length > 1) return new Set(matching.flatMap(({ methods }) => [...methods]));
    return this.mounts.some((layer) => layer.match(path)) ? 'mounted' : new Set();
  }

  /** Also where a controller has the same path: what is mounted may be asked first. */
  isGuarded({ path, method }: Request): boolean {
    const isOpen = (layer: RouterLayer) => layer.route?.methods[method.toLowerCase()] && layer.match(path);
    return this.guarded.some((layer) => layer.match(path)) && !this.open.some(isOpen);
  }
}

const patternsOf = ({ rawPath }: RouterLayer): string[] => [rawPath].flat().map(String);

function resourcesOf(layers: readonly RouterLayer[]): Iterable<Resource> {
  const resources = new Map<unknown, Resource>();
  for (const layer of layers) {
    if (!layer.route) continue;
    const resource = resources.get(layer.rawPath ?? layer) ?? { layer, methods: new Set(['OPTIONS']) };
    for (const method of Object.keys(layer.route.methods)) resource.methods.add(method.toUpperCase());
    if (resource.methods.has('GET')) resource.methods.add('HEAD');
    resources.set(layer.rawPath ?? layer, resource);
  }
  return resources.values();
}
