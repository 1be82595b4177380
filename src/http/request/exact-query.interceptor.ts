import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Request } from 'express';
import { EveryRequest } from './every-request.js';
import { badRequest, type FieldError } from '../answer/problem.js';
import { Skippable } from './skippable.js';

const queryNamesKey = 'http:query-names';

/** The query parameters that a route, or every route of a class, knows. Without it nothing is checked. */
export const QueryNames = (...names: readonly string[]) => SetMetadata(queryNamesKey, names);

/**
 * Every query parameter must be known, given once, and well-formed: otherwise garbage would make new cache keys. It runs
 * before anything that looks at the query, the api cache included.
 */
@Injectable()
@Skippable()
@EveryRequest()
export class ExactQueryInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const { url } = context.switchToHttp().getRequest<Request>();
    const known = this.reflector.getAllAndOverride<readonly string[] | undefined>(queryNamesKey, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!known) return next.handle();
    const faults = faultsOf(url, known);
    if (faults.length > 0) throw badRequest(...faults);
    return next.handle();
  }
}

function faultsOf(url: string, known: readonly string[]): FieldError[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  const seen = new Set<string>();
  return url
    .slice(start + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .flatMap((pair) => {
      const name = decoded(pair.split('=', 1)[0] ?? '');
      const fault = faultOf(name, pair, known, seen);
      if (name !== undefined) seen.add(name);
      return fault ? [{ in: 'query' as const, field: (name ?? pair).slice(0, 64), message: fault }] : [];
    });
}

function faultOf(name: string | undefined, pair: string, known: readonly string[], seen: Set<string>) {
  if (name === undefined || decoded(pair) === undefined) return 'is not percent-encoded UTF-8';
  if (!known.includes(name)) return 'is not a parameter of this resource';
  return seen.has(name) ? 'is given more than once' : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
