import { Controller, Get, Header, type OnModuleInit, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Response } from 'express';
import { Unlimited } from '../http/index.js';
import { Siblings } from '../workers/index.js';
import { merged } from './merged.js';
import { AppRegistry } from './registry.js';
import { spaced } from './spaced.js';

/** Printing takes some milliseconds, and anybody may ask: so it takes one part in twenty of the process's time at most. */
const spaceMs = 100;

/** Its path is `PrometheusModule`'s to say. */
@ApiTags('operations')
@Unlimited('load', 'rate')
@Controller()
export class MetricsController implements OnModuleInit {
  readonly #ofAll = spaced(async () => merged(await this.siblings.all('metrics')), spaceMs);

  constructor(
    private readonly registry: AppRegistry,
    private readonly siblings: Siblings,
  ) {}

  onModuleInit(): void {
    this.siblings.whenAsked(
      'metrics',
      spaced(() => this.registry.print(), spaceMs),
    );
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Metrics', description: 'Prometheus text format.' })
  @ApiProduces('text/plain')
  @ApiResponse({
    status: 200,
    description: 'of this process; of several on one port (`WEB_CONCURRENCY`) those of all, each with its `worker`',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  print(@Res({ passthrough: true }) res: Response): Promise<string> {
    res.set('Content-Type', this.registry.contentType);
    return this.#ofAll();
  }
}
