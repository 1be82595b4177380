import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { isForEveryRequest } from '../../http/index.js';
import { CacheResponseInterceptor } from './cache-response.interceptor.js';

/**
 * Global interceptors run in the order in which modules and `useGlobalInterceptors` name them, so one of another module may
 * stand before the cache: it would be handed text instead of a value, or change what is sent without the cache knowing. Here
 * the cache comes before all that may have a hand in an answer, and behind those that only look at requests.
 */
@Injectable()
export class InterceptorOrder {
  constructor(private readonly application: ApplicationConfig) {}

  /** After every interceptor is known, and before the routes are made. */
  establish(): void {
    const all = this.application.getGlobalInterceptors();
    const rank = (interceptor: object) =>
      isForEveryRequest(interceptor) ? 0 : interceptor instanceof CacheResponseInterceptor ? 1 : 2;
    all.sort((a, b) => rank(a) - rank(b));
  }
}
