import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { defer, from, lastValueFrom, map, type Observable } from 'rxjs';
import { Settings } from '../../config/index.js';
import { Skippable } from '../../http/index.js';
import { Clock } from '../clock.js';
import { type CacheRequest, cacheRequestOf } from './cache-request.js';
import { type CacheResponseOptions, cacheResponseMetadata } from './cache-response.decorator.js';
import { member } from './cache-status.js';
import { ageS, bornAtMs } from './candidate.js';
import { CachedRoutes } from './cached-routes.js';
import { captureResponse } from './captured-response.js';
import { type Handler, type Outcome } from './outcome.js';
import { FastLane } from './lane/fast-lane.js';
import { type LaneRefusal } from './lane/known-headers.js';
import { type Sending } from './lane/recorder.js';
import { Representations } from './representations.js';
import { ResponseCache } from './response-cache.js';
import { RoutePlaces } from './route-places.js';
import { downstreamLines } from './semantics/downstream.js';
import { sendOwn, sendPassed, sendPlain, setFields } from './send.js';

/**
 * Answers the GET and HEAD requests of routes that declare `@CacheResponse` from the api layer. Every other interceptor that
 * has a hand in an answer comes behind this one (`InterceptorOrder`): what is kept is what they have made of it, and what this
 * one returns is text or bytes for Nest to send.
 */
@Injectable()
@Skippable()
export class CacheResponseInterceptor implements NestInterceptor {
  constructor(
    private readonly settings: Settings,
    private readonly reflector: Reflector,
    private readonly routes: CachedRoutes,
    private readonly responses: ResponseCache,
    private readonly representations: Representations,
    private readonly lane: FastLane,
    private readonly places: RoutePlaces,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const route = this.reflector.get<CacheResponseOptions | undefined>(cacheResponseMetadata, context.getHandler());
    if (!route || context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    if (request.method !== 'GET' && request.method !== 'HEAD') return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    if (this.routes.whyNotKept(context) !== undefined || isRewritten(response)) {
      response.setHeader('Cache-Status', 'strata-api; fwd=bypass; detail=uncacheable');
      return next.handle();
    }
    const capture = captureResponse(request, response);
    const run = (held: Parameters<Handler>[0]) => capture(held, () => lastValueFrom(next.handle()));
    const handler: Handler = Object.assign(run, { head: capture.head });
    const cacheRequest = this.settings.cacheApi
      ? cacheRequestOf(request, route, this.places.placeOf(context))
      : undefined;
    return defer(() => from(this.#outcome(cacheRequest, handler))).pipe(
      map((outcome) => this.#send(outcome, route, cacheRequest, context)),
    );
  }

  #outcome(cacheRequest: CacheRequest | undefined, handler: Handler): Promise<Outcome> {
    if (cacheRequest) return this.responses.respond(cacheRequest, handler);
    return this.responses.bypass(handler, this.settings.cacheApi ? 'uncacheable' : 'disabled');
  }

  #send(
    outcome: Outcome,
    route: CacheResponseOptions,
    cacheRequest: CacheRequest | undefined,
    context: ExecutionContext,
  ): unknown {
    const { response: stored, error, said, passed, db, api, tags } = outcome;
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    if (!stored && !passed && !said && error === undefined) return undefined; // the handler has answered
    response.set('Cache-Status', [...(db ? [member('db', db)] : []), member('api', api)].join(', '));
    if (passed) return sendPassed(passed, response);
    if (!stored) {
      if (said) setFields(response, said.lines, said.removed);
      throw error;
    }
    const age = Math.floor(ageS(bornAtMs(stored), this.clock.wallMs()));
    if (api.hit || age > 0) response.set('Age', String(age));
    if (api.hit) response.set('Date', new Date(stored.madeAtMs).toUTCString());
    const lifetimeS = age + (api.hit ? api.ttlMs : this.settings.cacheTtlMs) / 1_000;
    const options = { cdnMaxAgeS: route.cdn?.maxAgeS, groups: route.groups };
    const lines = downstreamLines(stored.own?.lines ?? [], api.policy, lifetimeS, tags, options);
    setFields(response, lines, stored.own?.removed);
    for (const name of route.vary ?? []) response.vary(name);
    if (stored.own) {
      this.#learn(outcome, route, context, 'own-fields');
      return sendOwn(stored, route, request, response);
    }
    const chosen = this.representations.choose(stored, request.headers['accept-encoding'], api.hit);
    if (cacheRequest)
      this.#learn(outcome, route, context, cacheRequest.beyondUrl ?? { key: cacheRequest.key, stored, chosen });
    return sendPlain(chosen, stored, request, response);
  }

  /** The lane goes by the path alone: only a key of the route's own vouches that the host makes no difference. */
  #learn(
    { api }: Outcome,
    route: CacheResponseOptions,
    context: ExecutionContext,
    sending: Sending | LaneRefusal,
  ): void {
    if (!api.hit || api.level !== 'l1' || api.ttlMs <= 0) return;
    const refusal = this.lane.learn({ context, route, interceptor: this }, route.key ? sending : 'no-key');
    const response = context.switchToHttp().getResponse<Response>();
    if (refusal) response.set('Cache-Status', `${response.get('Cache-Status')}; strata-lane=${refusal}`);
  }
}

/** Whether middleware has put its own methods in the place of those that Nest sends answers by: it changes what is sent. */
const isRewritten = (response: Response): boolean => ['send', 'json'].some((name) => Object.hasOwn(response, name));
