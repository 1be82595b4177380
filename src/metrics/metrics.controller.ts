import { Controller, Get, Header, type OnModuleInit, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Response } from 'express';
import { Siblings } from '../workers/index.js';
import { merged } from './merged.js';
import { AppRegistry } from './registry.js';

/** Its path is `PrometheusModule`'s to say. */
@ApiTags('operations')
@Controller()
export class MetricsController implements OnModuleInit {
  constructor(
    private readonly registry: AppRegistry,
    private readonly siblings: Siblings,
  ) {}

  onModuleInit(): void {
    this.siblings.whenAsked('metrics', () => this.registry.print());
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
  async print(@Res({ passthrough: true }) res: Response): Promise<string> {
    res.set('Content-Type', this.registry.contentType);
    return merged(await this.siblings.all('metrics'));
  }
}
