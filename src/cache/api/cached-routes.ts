import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { type CacheResponseOptions, cacheResponseMetadata } from './cache-response.decorator.js';

/** The routes of this application that declare `@CacheResponse`. */
@Injectable()
export class CachedRoutes implements OnModuleInit {
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

  onModuleInit(): void {
    const routes = this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype = (metatype as { prototype?: Record<string, () => unknown> } | null)?.prototype;
      const names = prototype ? this.scanner.getAllMethodNames(prototype) : [];
      return names.flatMap(
        (name) => this.reflector.get<CacheResponseOptions | undefined>(cacheResponseMetadata, prototype![name]!) ?? [],
      );
    });
    this.#anyByUri = routes.some(({ reads }) => reads !== 'entities');
  }
}
