import { type ExecutionContext, Injectable, Logger, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { type CacheResponseOptions, cacheResponseMetadata } from './cache-response.decorator.js';
import { whyNotKept } from './route-kind.js';

type Method = (...args: never) => unknown;

/** The routes of this application that declare `@CacheResponse`. */
@Injectable()
export class CachedRoutes implements OnModuleInit {
  readonly #logger = new Logger('Cache');
  /** By class and method: an inherited method is one function for several routes. */
  readonly #reasons = new Map<Type, Map<Method, string | undefined>>();
  #anyByUri = false;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  /** Whether unsafe requests matter: some route keeps what was not read through the cache. */
  get anyByUri(): boolean {
    return this.#anyByUri;
  }

  /** Why nothing of a route is kept, whatever it answers; undefined where it may be. */
  whyNotKept(context: ExecutionContext): string | undefined {
    return this.#reasonOf(context.getClass(), context.getHandler() as Method);
  }

  onModuleInit(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      const prototype = (metatype as { prototype?: Record<string, Method> } | null)?.prototype;
      for (const name of prototype ? this.scanner.getAllMethodNames(prototype) : [])
        this.#meet(metatype as Type, name, prototype![name]!);
    }
  }

  #meet(controller: Type, name: string, method: Method): void {
    const route = this.reflector.get<CacheResponseOptions | undefined>(cacheResponseMetadata, method);
    if (!route) return;
    if (route.reads !== 'entities') this.#anyByUri = true;
    const reason = this.#reasonOf(controller, method);
    if (reason) this.#logger.warn(`@CacheResponse() keeps nothing of ${controller.name}.${name}: ${reason}`);
  }

  #reasonOf(controller: Type, method: Method): string | undefined {
    let reasons = this.#reasons.get(controller);
    if (!reasons) this.#reasons.set(controller, (reasons = new Map<Method, string | undefined>()));
    if (!reasons.has(method)) reasons.set(method, whyNotKept(controller, method));
    return reasons.get(method);
  }
}
