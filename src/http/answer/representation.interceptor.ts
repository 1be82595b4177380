import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Response } from 'express';
import { map } from 'rxjs';
import { representationOf } from './etag.js';

/**
 * Serialises what a handler returns, once, and tags exactly those bytes. `If-None-Match`, 304 and HEAD are then Express's
 * (`res.send`); a handler without a result (204) is left alone.
 */
@Injectable()
export class RepresentationInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>) {
    const res = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((value) => {
        if (value === undefined) return value;
        const { body, etag } = representationOf(value);
        res.set({ ETag: etag, 'Content-Type': 'application/json; charset=utf-8' });
        return body;
      }),
    );
  }
}
