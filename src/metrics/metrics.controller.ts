import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Response } from 'express';
import { AppRegistry } from './registry.js';

/** Its path is `PrometheusModule`'s to say. */
@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly registry: AppRegistry) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Metrics', description: 'Prometheus text format.' })
  @ApiProduces('text/plain')
  @ApiResponse({
    status: 200,
    description: 'of this process',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  async print(@Res({ passthrough: true }) res: Response): Promise<string> {
    res.set('Content-Type', this.registry.contentType);
    return this.registry.print();
  }
}
