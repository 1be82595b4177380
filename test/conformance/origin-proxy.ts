import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { All, Controller, Module, Req, Res, StreamableFile } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { CacheResponse, heldValidators } from '../../src/cache/index.js';

/** Where the suite's origin server listens; known before the application is made. */
export const origin = { port: 0 };

/** What a shared answer must not depend on: the client's own conditions, which the api layer evaluates itself. */
const conditions = new Set(['if-none-match', 'if-modified-since', 'if-range', 'range', 'host', 'connection']);

/** A handler for everything, which asks another server: the api layer as a reverse proxy's cache. */
@Controller()
export class OriginProxy {
  @All('test/*path')
  @CacheResponse({ cdn: {}, ranges: true })
  async test(
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Buffer | StreamableFile | undefined> {
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

@Module({ controllers: [OriginProxy] })
export class OriginProxyModule {}

async function forward(req: Request, res: Response, method: string, headers: OutgoingHttpHeaders) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = send({ port: origin.port, host: '127.0.0.1', path: req.url, method, headers, agent: false }, resolve);
    asked.on('error', reject);
    asked.on('information', ({ statusCode, headers: early }) => {
      if (res.headersSent) return;
      if (statusCode === 103) res.writeEarlyHints(early as Record<string, string | string[]>);
      else res.writeProcessing();
    });
    if (method === 'GET' || method === 'HEAD') asked.end();
    else req.pipe(asked);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  res.status(answer.statusCode ?? 502);
  const { rawHeaders } = answer;
  for (let i = 0; i < rawHeaders.length; i += 2) res.appendHeader(rawHeaders[i]!, rawHeaders[i + 1]!);
  const body = Buffer.concat(chunks);
  return body.length > 0 ? body : undefined;
}
