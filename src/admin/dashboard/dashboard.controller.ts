import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Request, type Response } from 'express';
import { ApiProblems, notFound, parentPath, Produces, QueryNames, Unlimited } from '../../http/index.js';
import { readLabReport } from './lab-report.js';
import { LiveCounters } from './live-counters.service.js';
import { belowRoot, type PageFile, readPageFiles } from './page-files.js';
import { pagePolicy, reportPolicy } from './security.js';

const text = (type: string) => ({ [type]: { schema: { type: 'string' as const } } });

/** The page, for everyone. What only an operator may see, the page asks of the admin routes. */
@ApiTags('operations')
@Unlimited('load')
@Controller('dashboard')
@QueryNames()
export class DashboardController {
  readonly #files = readPageFiles();

  constructor(private readonly counters: LiveCounters) {}

  @Get()
  @Produces('text/html')
  @ApiOperation({ summary: 'Dashboard', description: 'A page that shows the cache at work.' })
  @ApiProduces('text/html')
  @ApiResponse({ status: 200, description: 'the page', content: text('text/html') })
  page(@Req() req: Request, @Res() res: Response): void {
    this.#send(res, 'index.html', parentPath(req));
  }

  @Get('assets/:name')
  @ApiExcludeEndpoint()
  asset(@Param('name') name: string, @Res() res: Response): void {
    this.#send(res, name);
  }

  @Get('events')
  @Produces('text/event-stream')
  @ApiOperation({
    summary: 'Counters',
    description: 'Server-sent events of this node, once a second: numbers and states, never a key.',
  })
  @ApiProduces('text/event-stream')
  @ApiResponse({ status: 200, description: 'until the client leaves', content: text('text/event-stream') })
  @ApiProblems({ 503: 'the service is shutting down, or too many look' })
  listen(@Req() req: Request, @Res() res: Response): void {
    res.set('Cache-Control', 'no-store');
    if (req.method === 'HEAD') res.type('text/event-stream').end();
    else this.counters.connect(res);
  }

  @Get('lab')
  @Produces('text/html')
  @ApiOperation({ summary: 'Policy lab', description: 'The report of the last `npm run lab`.' })
  @ApiProduces('text/html')
  @ApiResponse({ status: 200, description: 'the report', content: text('text/html') })
  @ApiResponse({ status: 404, description: 'there is none yet', content: text('text/html') })
  async lab(@Req() req: Request, @Res() res: Response): Promise<void> {
    const report = await readLabReport();
    if (!report) return this.#send(res.status(404), 'no-lab.html', parentPath(req).replace(/\/dashboard$/, ''));
    // A page that has no origin cannot have an agent cluster of its own by it: browsers warn of the header.
    res.removeHeader('Origin-Agent-Cluster');
    res.set({ 'Cache-Control': 'no-cache', 'Content-Security-Policy': reportPolicy }).type('html').send(report);
  }

  /** @param root the path that everything is below, for the links of a page @throws 404 */
  #send(res: Response, name: string, root = ''): void {
    const found: PageFile | undefined = this.#files.get(name);
    const file = found && root !== '' ? belowRoot(found, root) : found;
    if (!file) throw notFound();
    const { type, etag, body } = file;
    // Asked for again every time, answered with 304: a new build is seen at once.
    res.set({ 'Content-Type': type, ETag: etag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': pagePolicy });
    res.send(body);
  }
}
