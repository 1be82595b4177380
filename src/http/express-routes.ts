import { PATH_METADATA } from '@nestjs/common/constants.js';
import { type Express } from 'express';

/** A route, or something that is mounted on a subtree, as Express's router keeps it. */
export interface RouterLayer {
  readonly rawPath: unknown;
  /** Mounted on everything. */
  readonly slash: boolean;
  readonly handle: object;
  readonly route?: {
    readonly methods: Readonly<Record<string, boolean>>;
    readonly stack: readonly { readonly handle: object }[];
  };
  /** @throws URIError (status 400) when a parameter of the path cannot be decoded */
  match(path: string): boolean;
}

/** In the order in which they are asked. */
export const layersOf = (app: Express): readonly RouterLayer[] =>
  (app.router as unknown as { readonly stack: readonly RouterLayer[] }).stack;

/** What a decorator has left on the method that answers a route: Nest copies it to the handler that it registers. */
export const metadataOf = (key: string, { route }: RouterLayer): unknown =>
  route?.stack.map(({ handle }): unknown => Reflect.getMetadata(key, handle)).find((value) => value !== undefined);

/** Whether a method of a controller answers it. */
export const isOfController = (layer: RouterLayer): boolean => metadataOf(PATH_METADATA, layer) !== undefined;
