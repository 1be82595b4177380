import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Histogram } from 'prom-client';
import { AppRegistry } from './registry.js';

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
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
 * How long answers take, by route pattern. It listens at the server, before everything else, so that every answer counts,
 * whoever gives it. Streams of events are left out: how long they last says nothing.
 */
@Injectable()
export class HttpMetrics implements OnModuleInit {
  readonly #duration: Histogram<'route' | 'method' | 'status'>;
  #patterns: ReadonlySet<unknown> | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    registry: AppRegistry,
  ) {
    this.#duration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer, by route pattern, method and status',
      labelNames: ['route', 'method', 'status'],
      buckets,
      registers: [registry],
    });
  }

  onModuleInit(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.prependListener('request', (req: Routed, res: ServerResponse) => {
      const startedMs = performance.now();
      res.once('finish', () => {
        if (String(res.getHeader('content-type')).startsWith('text/event-stream')) return;
        this.#duration.observe(
          { route: this.#routeOf(req), method: methods.has(req.method!) ? req.method! : other, status: res.statusCode },
          (performance.now() - startedMs) / 1000,
        );
      });
    });
  }

  #routeOf({ route }: Routed): string {
    this.#patterns ??= patternsOf(this.host.httpAdapter.getInstance<{ readonly router: Router }>().router);
    return typeof route?.path === 'string' && this.#patterns.has(route.path) ? route.path : other;
  }
}

const patternsOf = ({ stack }: Router): ReadonlySet<unknown> =>
  new Set(stack.flatMap(({ route }) => route?.path ?? []));
