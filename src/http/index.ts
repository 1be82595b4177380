export { answerClientErrors } from './answer/client-errors.js';
export { AnswerDurations, durationBuckets, type Durations, type DurationSeries } from './answer/answer-durations.js';
export { ApiProblems } from './answer/api-problems.js';
export { Bulkhead } from './limits/bulkhead.js';
export { MessagesAdapter } from './answer/messages.adapter.js';
export { networkOf } from './limits/client-network.js';
export { boundConnections, type ConnectionBounds, ordinaryBounds } from './limits/connections.js';
export { childPath, parentPath, pathOf } from './paths.js';
export { Produces } from './answer/content.interceptor.js';
export { type Encoding, type EncodingPreference, encodingPreference, tagOf } from './answer/encodings.js';
export { etagOf, type Representation, representationOf } from './answer/etag.js';
export { QueryNames } from './request/exact-query.interceptor.js';
export { EveryRequest, isForEveryRequest } from './request/every-request.js';
export { createExpress, type ExpressOptions } from './express-app.js';
export { layersOf, type RouterLayer } from './express-routes.js';
export { type DrainOptions, GracefulShutdown } from './lifecycle/graceful-shutdown.js';
export { type HealthSource, HealthSources, type HealthState } from './lifecycle/health-sources.js';
export { prependRequestHandler, type RequestHandler } from './prepend-request-handler.js';
export { HttpModule } from './http.module.js';
export { type IfMatch, parseIfMatch } from './request/if-match.js';
export { Lifecycle, type LifecycleState } from './lifecycle/lifecycle.js';
export { oneAtATime } from './limits/pipelining.js';
export {
  badRequest,
  type FieldError,
  notFound,
  type Problem,
  ProblemException,
  unavailable,
} from './answer/problem.js';
export { rateLimit } from './limits/rate-limit.js';
export { memoize } from './memoize.js';
export { RepresentationInterceptor } from './answer/representation.interceptor.js';
export { type PathGuard } from './request/route-gate.js';
export { isSkippable, markSkippable, Skippable } from './request/skippable.js';
export { type ErrorTranslator } from './answer/to-problem.js';
export { TokenBuckets } from './limits/token-buckets.js';
export { Unlimited, unlimitedBy } from './limits/unlimited.js';
export { ValidationPipe } from './request/validation.pipe.js';
