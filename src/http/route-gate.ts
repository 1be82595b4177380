import { type Request, type RequestHandler } from 'express';
import { type PathGuard } from './path-guard.js';
import { notFound, ProblemException } from './problem.js';

/** The part of Express's router that says which paths and methods exist. */
export interface RouterLayer {
  readonly rawPath?: unknown;
  readonly slash: boolean;
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

interface Resource {
  readonly layer: RouterLayer;
  readonly methods: Set<string>;
}

/** A handler mounted on a whole subtree (static files, another router): it answers for its own paths and methods. */
type Mount = RouterLayer;

/**
 * The first checks of every request, and OPTIONS: an unknown path is 404, a known one with another method 405 with
 * `Allow` (RFC 9110, 15.5.6); then the guard is asked. Reads the routes that are registered, so that no module needs to
 * list its own.
 */
export function routeGate(layers: () => readonly RouterLayer[], guard: PathGuard): RequestHandler {
  let table: RouteTable | undefined;
  return (req, res, next) => {
    table ??= new RouteTable(layers());
    const allowed = table.methodsOf(req);
    if (guard.hides(req.path) || (allowed !== 'mounted' && allowed.size === 0)) throw notFound();
    if (allowed === 'mounted' || (allowed.has(req.method) && req.method !== 'OPTIONS')) {
      guard.admit(req, res);
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
  private readonly mounts: readonly Mount[];

  constructor(layers: readonly RouterLayer[]) {
    this.mounts = layers.filter((layer) => !layer.route && !layer.slash);
    this.resources = [...resourcesOf(layers)];
  }

  /** @throws URIError (status 400) when a parameter of the path cannot be decoded */
  methodsOf({ path }: Request): ReadonlySet<string> | 'mounted' {
    const matching = this.resources.filter(({ layer }) => layer.match(path));
    if (matching.length === 1 && matching[0]) return matching[0].methods;
    if (matching.length > 1) return new Set(matching.flatMap(({ methods }) => [...methods]));
    return this.mounts.some((layer) => layer.match(path)) ? 'mounted' : new Set();
  }
}

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
