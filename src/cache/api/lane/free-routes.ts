import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { GUARDS_METADATA, HOST_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, HttpAdapterHost, Reflector } from '@nestjs/core';
import { type Express, type Request } from 'express';
import { isSkippable, layersOf, type RouterLayer } from '../../../http/index.js';
import { type CacheResponseOptions } from '../cache-response.decorator.js';
import { handlingOf, type LaneRefusal } from './known-headers.js';

/** A guard that tells beforehand which routes it lets everybody use. */
export interface SelectiveGuard extends CanActivate {
  concerns(context: ExecutionContext): boolean;
}

/** A hit of L1 that Nest answers. */
export interface Hit {
  readonly context: ExecutionContext;
  readonly route: CacheResponseOptions;
  /** The cache's own interceptor: what comes behind it is part of the answer. */
  readonly interceptor: NestInterceptor;
}

/**
 * Which routes the fast lane may answer: those of which the application proves that nothing stands before them that may
 * refuse a request, or answer it in another way. What is not known to let everybody through counts as an obstacle.
 */
@Injectable()
export class FreeRoutes {
  readonly #known = new WeakMap<object, WeakMap<object, LaneRefusal | 'free'>>();

  constructor(
    private readonly application: ApplicationConfig,
    private readonly reflector: Reflector,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Why the lane must leave this request to Nest, as far as its route goes. */
  obstacleOf(hit: Hit): LaneRefusal | undefined {
    const { context, route } = hit;
    const [type, handler] = [context.getClass(), context.getHandler()];
    let ofType = this.#known.get(type);
    if (!ofType) this.#known.set(type, (ofType = new WeakMap()));
    let obstacle = ofType.get(handler);
    // A handler that is inherited is one function for several classes, each with guards of its own.
    if (!obstacle) ofType.set(handler, (obstacle = this.#declared(hit) ?? 'free'));
    if (obstacle !== 'free') return obstacle;
    return !route.fastLane && this.#isBehindMiddleware(context.switchToHttp().getRequest()) ? 'middleware' : undefined;
  }

  /** What does not depend on the request. A route cannot vouch for what selects its handler. */
  #declared({ context, route, interceptor }: Hit): LaneRefusal | undefined {
    if (this.reflector.get<unknown>(HOST_METADATA, context.getClass()) !== undefined) return 'host';
    if (this.#isVersioned(context)) return 'version';
    if (route.fastLane) return undefined;
    if (this.#isGuarded(context)) return 'guarded';
    return this.#isBehindInterceptors(interceptor) ? 'interceptor' : undefined;
  }

  /** In the path, or in a field that the lane does not know, a version cannot be mistaken for another. */
  #isVersioned(context: ExecutionContext): boolean {
    const versioning = this.application.getVersioning();
    if (!versioning || versioning.type === VersioningType.URI) return false;
    if (versioning.type === VersioningType.HEADER && typeof handlingOf(versioning.header) === 'object') return false;
    const declared: unknown = this.reflector.getAllAndOverride(VERSION_METADATA, targetsOf(context));
    return (declared ?? versioning.defaultVersion) !== undefined;
  }

  #isGuarded(context: ExecutionContext): boolean {
    const { application } = this;
    const concerns = (guard: CanActivate | Type | SelectiveGuard) =>
      'concerns' in guard ? guard.concerns(context) : !isSkippable(guard);
    const own = this.reflector.getAllAndMerge<Type[]>(GUARDS_METADATA, targetsOf(context));
    const global = application.getGlobalGuards();
    return own.some(concerns) || global.some(concerns) || application.getGlobalRequestGuards().length > 0;
  }

  #isBehindInterceptors(own: NestInterceptor): boolean {
    const all = this.application.getGlobalInterceptors();
    return !all.slice(0, all.indexOf(own)).every(isSkippable);
  }

  /** Whether Express asks anything else than this service's own middleware before the route, Nest's middleware included. */
  #isBehindMiddleware(req: Request): boolean {
    if (this.host.httpAdapter.getType() !== 'express') return true;
    for (const layer of layersOf(this.host.httpAdapter.getInstance<Express>())) {
      if (layer.route && layer.route === req.route) return layer.route.stack.length > 1;
      if (answersReads(layer) && !isSkippable(layer.handle) && layer.match(req.path)) return true;
    }
    return true;
  }
}

const targetsOf = (context: ExecutionContext) => [context.getHandler(), context.getClass()];

const answersReads = ({ route }: RouterLayer) =>
  !route || ['get', 'head', '_all'].some((method) => route.methods[method] === true);
