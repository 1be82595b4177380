import { Controller, Get, Header, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import { type Response } from 'express';
import { Unlimited } from '../http/index.js';
import { HealthChecks } from './health-checks.js';

/** For orchestrators and load balancers. The bodies are terminus's, with any status. */
@ApiTags('operations')
@Unlimited('load', 'rate')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly checks: HealthChecks,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @HealthCheck({ noCache: false })
  @ApiOperation({ summary: 'Health', description: '503 only if the database is down; anything else away is degraded.' })
  all(@Res({ passthrough: true }) res: Response): Promise<HealthCheckResult> {
    const { checks } = this;
    return this.#answer(res, [checks.database({ vital: true }), checks.redis(), ...checks.parts()]);
  }

  /** Nothing is asked: a process that answers is alive, and killing it would not bring a database back. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  @HealthCheck({ noCache: false })
  @ApiOperation({ summary: 'Liveness', description: 'The process is up.' })
  live(): HealthCheckResult {
    return { status: 'ok', info: {}, error: {}, details: {} };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @HealthCheck({ noCache: false })
  @ApiOperation({
    summary: 'Readiness',
    description:
      '503 while starting, warming or draining. Without its database or Redis the node still answers what it can.',
  })
  ready(@Res({ passthrough: true }) res: Response): Promise<HealthCheckResult> {
    const { checks } = this;
    return this.#answer(res, [checks.stage(), checks.database({ vital: false }), checks.redis()]);
  }

  async #answer(res: Response, indicators: HealthIndicatorFunction[]): Promise<HealthCheckResult> {
    try {
      return await this.health.check(indicators);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      res.status(503);
      return error.getResponse() as HealthCheckResult;
    }
  }
}
