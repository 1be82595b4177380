import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import {
  All,
  Controller,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Req,
  RequestMethod,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { type NextFunction, type Request, type Response } from 'express';
import { CacheResponse, heldValidators, type KeyedRequest } from '../../src/cache/index.js';

/** Where the suite's origin server listens; known before the application is made. */
export const origin = { port: 0 };

/** What a shared answer must not depend on: the client's own conditions, which the api layer evaluates itself. */
const conditions = new Set(['if-none-match', 'if-modified-since', 'if-range', 'range', 'host', 'connection']);

/** A handler for everything, which asks another server: the api layer as a reverse proxy's cache. */
abstract class Proxy {
  protected async pass(req: Request, res: Response): Promise<Buffer | StreamableFile | undefined> {
    if (req.method !== 'GET' && req.method !== 'HEAD') return this.backstage(req, res);
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !conditions.has(name)));
    const { etag, lastModified } = heldValidators() ?? {};
    return forward(req, res, 'GET', {
      ...headers,
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
    });
  }

  /** How a test is set up, and what its origin saw. */
  @All(['config/*path', 'state/*path'])
  async backstage(@Req() req: Request, @Res({ passthrough: true }) res: Response): Promise<StreamableFile | undefined> {
    const body = await forward(req, res, req.method, req.headers);
    return body && new StreamableFile(body);
  }
}

@Controller()
export class OriginProxy extends Proxy {
  @All('test/*path')
  @CacheResponse({ cdn: {}, ranges: true })
  test(@Req() req: Request, @Res({ passthrough: true }) res: Response): ReturnType<Proxy['pass']> {
    return this.pass(req, res);
  }
}

/** The same with a key of its own, as a route of the whole service has one. */
@Controller()
export class KeyedOriginProxy extends Proxy {
  @All('test/*path')
  @CacheResponse({ cdn: {}, ranges: true, key: uriOf })
  test(@Req() req: Request, @Res({ passthrough: true }) res: Response): ReturnType<Proxy['pass']> {
    return this.pass(req, res);
  }
}

/** Path and query, with the parameters in order. */
function uriOf({ params, query }: KeyedRequest): string {
  const text = new URLSearchParams(Object.entries(query as Record<string, string>).sort()).toString();
  return `/test/${[params['path']].flat().join('/')}${text === '' ? '' : `?${text}`}`;
}

@Module({ controllers: [OriginProxy] })
export class OriginProxyModule {}

/** The service takes JSON alone; what the suite sends is read before that, as by any middleware for bodies. */
@Module({ controllers: [KeyedOriginProxy] })
export class KeyedOriginProxyModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    const withBody = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH];
    consumer.apply(readBody).forRoutes(...withBody.map((method) => ({ path: '*path', method })));
  }
}

type WithBytes = Request & { bytes?: Buffer };

function readBody(req: WithBytes, _res: Response, next: NextFunction): void {
  const chunks: Buffer[] = [];
  req
    .on('data', (chunk: Buffer) => chunks.push(chunk))
    .on('end', () => {
      req.bytes = Buffer.concat(chunks);
      delete req.headers['content-length'];
      delete req.headers['transfer-encoding'];
      next();
    });
}

async function forward(req: WithBytes, res: Response, method: string, headers: OutgoingHttpHeaders) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = send({ port: origin.port, host: '127.0.0.1', path: req.url, method, headers, agent: false }, resolve);
    asked.on('error', reject);
    asked.on('information', ({ statusCode, headers: early }) => {
      if (res.headersSent) return;
      if (statusCode === 103) res.writeEarlyHints(early as Record<string, string | string[]>);
      else res.writeProcessing();
    });
    if (method === 'GET' || method === 'HEAD') asked.end();
    else if (req.bytes) asked.end(req.bytes);
    else req.pipe(asked);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  res.status(answer.statusCode ?? 502);
  // In the place of what the application says of its own accord.
  for (const [name, values = []] of Object.entries(answer.headersDistinct))
    res.setHeader(name, values.length === 1 ? values[0]! : values);
  const body = Buffer.concat(chunks);
  return body.length > 0 ? body : undefined;
}
