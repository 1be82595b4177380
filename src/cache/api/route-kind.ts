import { RequestMethod, type Type } from '@nestjs/common';
import {
  METHOD_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';

type Handler = (...args: never) => unknown;

/**
 * Why nothing of a route is kept; undefined where Nest sends what its handler returns, and nothing else. What is sent in any
 * other way is known only once it has been sent.
 */
export function whyNotKept(controller: Type, handler: Handler): string | undefined {
  const has = (key: string) => Reflect.hasMetadata(key, handler);
  if (has(SSE_METADATA)) return 'it is a stream of events';
  if (has(RENDER_METADATA)) return 'it is rendered from a view (@Render)';
  if (has(REDIRECT_METADATA)) return 'it is a redirection (@Redirect)';
  if (Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.HEAD) return 'it answers HEAD alone (@Head)';
  if (namesOf(controller, handler).some((name) => answersItself(controller, name)))
    return 'it sends its answer itself (@Res() without passthrough, or @Next())';
  return undefined;
}

/** The names under which a class has a method, its own or inherited. */
function namesOf({ prototype }: Type, handler: Handler): string[] {
  const names: string[] = [];
  for (let at = prototype as object | null; at; at = Object.getPrototypeOf(at) as object | null)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (value === handler) names.push(name);
  return names;
}

function answersItself(controller: Type, name: string): boolean {
  const parameters = Object.keys(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as object | undefined) ?? {},
  );
  const types = parameters.map((key) => Number(key.split(':')[0]));
  const takesOver = types.includes(RouteParamtypes.RESPONSE) || types.includes(RouteParamtypes.NEXT);
  return takesOver && Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) !== true;
}
