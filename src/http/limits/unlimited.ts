import { PATH_METADATA } from '@nestjs/common/constants.js';
import { metadataOf, type RouterLayer } from '../express-routes.js';

const limitsKey = 'http:unlimited';

/** `load`: the bulkhead; `rate`: requests a minute of one client. */
export type Limit = 'load' | 'rate';

/** The routes of a controller that a limit does not count, and never refuses. */
export const Unlimited =
  (...limits: readonly Limit[]): ClassDecorator =>
  ({ prototype }) => {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(prototype as object))) {
      const method: unknown = value;
      if (typeof method === 'function' && Reflect.hasMetadata(PATH_METADATA, method))
        Reflect.defineMetadata(limitsKey, limits, method);
    }
  };

/**
 * Tells by its URL whether a request is for such a route, before Express is entered: by the patterns that are registered, so
 * that prefixes, versions and modules may put the route anywhere.
 */
export function unlimitedBy(limit: Limit, layers: () => readonly RouterLayer[]): (url: string) => boolean {
  let unlimited: readonly RouterLayer[] | undefined;
  return (url) => {
    unlimited ??= layers().filter((layer) => (metadataOf(limitsKey, layer) as readonly Limit[])?.includes(limit));
    const [path = ''] = url.split('?', 1);
    try {
      return unlimited.some((layer) => layer.match(path));
    } catch {
      return false; // A parameter that cannot be decoded: the answer will be 400.
    }
  };
}
