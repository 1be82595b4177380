import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Metric } from 'prom-client';
import { AnswerDurations, durationBuckets, type DurationSeries } from '../http/index.js';
import { AppRegistry } from './registry.js';

const name = 'http_request_duration_seconds';
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** What is no route (unknown paths, static files, mounted applications), and no method that one could have. */
const other = 'other';

/** What Express leaves on a request that a route has taken. */
type Routed = IncomingMessage & { readonly route?: { readonly path?: unknown } };

/** The routes of the application itself; those of routers that are mounted in it are theirs. */
interface Router {
  readonly stack: readonly { readonly route?: { readonly path?: unknown } }[];
}

/**
 * How long answers take, by route pattern. It listens at the server, before Express, so that every answer counts; those of
 * the fast lane, which come before it, are in the same {@link AnswerDurations}. Streams of events are left out: how long
 * they last says nothing.
 */
@Injectable()
export class HttpMetrics implements OnModuleInit {
  #patterns: ReadonlySet<unknown> | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly durations: AnswerDurations,
    registry: AppRegistry,
  ) {
    registry.registerMetric(histogramOf(durations));
  }

  onModuleInit(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.prependListener('request', (req: Routed, res: ServerResponse) => {
      const startedMs = performance.now();
      res.once('finish', () => {
        if (String(res.getHeader('content-type')).startsWith('text/event-stream')) return;
        const method = methods.has(req.method!) ? req.method! : other;
        this.durations
          .series({ route: this.#routeOf(req), method, status: res.statusCode }, originOf(res))
          .observe((performance.now() - startedMs) / 1000);
      });
    });
  }

  #routeOf({ route }: Routed): string {
    this.#patterns ??= patternsOf(this.host.httpAdapter.getInstance<{ readonly router: Router }>().router);
    return typeof route?.path === 'string' && this.#patterns.has(route.path) ? route.path : other;
  }
}

/** Which level gave the answer, as its `Cache-Status` says; undefined where it says nothing. */
function originOf(res: ServerResponse): string | undefined {
  const status = res.getHeader('cache-status');
  if (typeof status !== 'string') return undefined;
  const [, layer, level] =
    /strata-(api); hit;[^,]*?detail=(l[12])/.exec(status) ?? /strata-(db); hit;[^,]*?detail=(l[12])/.exec(status) ?? [];
  return layer && level ? `${layer}-${level}` : 'database';
}

const patternsOf = ({ stack }: Router): ReadonlySet<unknown> =>
  new Set(stack.flatMap(({ route }) => route?.path ?? []));

/** A histogram that is counted elsewhere: prom-client's own would cost an answer of the fast lane a tenth of its speed. */
function histogramOf(durations: AnswerDurations): Metric {
  const metric = { name, help: 'Time to answer, by route pattern, method and status', type: 'histogram' };
  const get = () => Promise.resolve({ ...metric, aggregator: 'sum', values: durations.all().flatMap(samplesOf) });
  return { ...metric, get } as unknown as Metric;
}

function samplesOf({ labels, counts, sumSeconds }: DurationSeries) {
  let total = 0;
  const buckets = [...durationBuckets, '+Inf'].map((le, at) => {
    total += counts[at]!;
    return { labels: { le, ...labels }, value: total, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: sumSeconds, metricName: `${name}_sum` },
    { labels, value: total, metricName: `${name}_count` },
  ];
}
