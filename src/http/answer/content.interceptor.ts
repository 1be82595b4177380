import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { type Observable } from 'rxjs';
import { assertAcceptable, assertJson, parseJson, readBody } from './content.js';
import { EveryRequest } from '../request/every-request.js';
import { Skippable } from '../request/skippable.js';

const producesKey = 'http:produces';

/** The media types of a route's answers; a request that accepts none of them is a 406. Without it nothing is checked. */
export const Produces = (...types: readonly string[]) => SetMetadata(producesKey, types);

const withBody = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Reads and parses the body, and checks what is said about it: 413, 415, 406, 400, in this order. It is an interceptor
 * because Nest runs guards before and pipes after it: a 401 is answered before a byte of the body is read.
 */
@Injectable()
@Skippable()
@EveryRequest()
export class ContentInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const req = context.switchToHttp().getRequest<Request>();
    const res = context.switchToHttp().getResponse<Response>();
    const types = this.reflector.getAllAndOverride<readonly string[] | undefined>(producesKey, [
      context.getHandler(),
      context.getClass(),
    ]);
    const body = withBody.has(req.method) ? await readBody(req, res) : undefined;
    if (body) assertJson(req.headers['content-type']);
    assertAcceptable(req, types ?? []);
    req.body = body && parseJson(body);
    return next.handle();
  }
}
