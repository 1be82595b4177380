import { type ExecutionContext, Injectable, VersioningType } from '@nestjs/common';
import { HOST_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, Reflector } from '@nestjs/core';
import { getMediaTypeVersion } from '@nestjs/platform-express/adapters/utils/get-media-type-version.util.js';
import { type Request } from 'express';

/** Which route a request has come to, and in which version; found out when it is asked for. */
export interface RoutePlace {
  /** No two routes of an application have the same. */
  readonly route: string;
  /** As it was asked for; undefined where it was not, or where there are no versions. */
  readonly version: string | undefined;
}

/** What Nest has chosen the handler of a request by, besides its path. */
@Injectable()
export class RoutePlaces {
  constructor(
    private readonly application: ApplicationConfig,
    private readonly reflector: Reflector,
  ) {}

  placeOf(context: ExecutionContext): RoutePlace {
    const [route, version] = [() => this.#routeOf(context), () => this.#versionOf(context)];
    return {
      get route() {
        return route();
      },
      get version() {
        return version();
      },
    };
  }

  /** A pattern may have several handlers, of controllers with one name: their versions and hosts tell them apart. */
  #routeOf(context: ExecutionContext): string {
    const [type, handler] = [context.getClass(), context.getHandler()];
    const { path } = context.switchToHttp().getRequest<Request>().route as { readonly path: string };
    const hosts = this.reflector.get<unknown>(HOST_METADATA, type);
    return JSON.stringify([path, `${type.name}.${handler.name}`, textsOf(this.#declared(context)), textsOf(hosts)]);
  }

  #declared(context: ExecutionContext): unknown {
    return this.reflector.getAllAndOverride<unknown>(VERSION_METADATA, [context.getHandler(), context.getClass()]);
  }

  #versionOf(context: ExecutionContext): string | undefined {
    const versioning = this.application.getVersioning();
    if (!versioning) return undefined;
    const request = context.switchToHttp().getRequest<Request>();
    switch (versioning.type) {
      case VersioningType.URI: {
        const parts = request.path.split('/');
        const prefix = versioning.prefix === false ? '' : (versioning.prefix ?? 'v');
        const versions = textsOf(this.#declared(context) ?? versioning.defaultVersion);
        return versions.find((version) => parts.includes(`${prefix}${version}`));
      }
      case VersioningType.HEADER:
        return textOf(request.headers[versioning.header.toLowerCase()]);
      case VersioningType.MEDIA_TYPE:
        return getMediaTypeVersion(request.headers.accept, versioning.key);
      case VersioningType.CUSTOM:
        return textOf(versioning.extractor(request));
    }
  }
}

const textsOf = (value: unknown): string[] => (value === undefined ? [] : [value].flat().map(String));

const textOf = (value: string | string[] | undefined): string | undefined =>
  value === undefined ? undefined : [value].flat().join();
