import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Request, type Response } from 'express';
import { badRequest, childPath, notFound, Produces, QueryNames, unavailable, Unlimited } from '../http/index.js';
import { type WarmingRequest } from './job.js';
import { type WarmingJobView, WarmingJobs } from './jobs.js';
import { DocCancel, DocFind, DocStart } from './warming.docs.js';
import { WarmingJobInput, type WarmingJobOutput } from './warming.dto.js';
import { WarmingUnavailableError } from './warming.errors.js';
import { type Warmer } from './warmer.js';
import { Warmers } from './warmers.js';

@ApiTags('admin')
@ApiBearerAuth('admin')
@Unlimited('load')
@Controller('admin/warming/jobs')
@Produces('application/json')
@QueryNames()
export class WarmingController {
  constructor(
    private readonly jobs: WarmingJobs,
    private readonly warmers: Warmers,
  ) {}

  @Post()
  @HttpCode(202)
  @DocStart()
  async start(
    @Body() input: WarmingJobInput,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<WarmingJobOutput> {
    const job = await answered(this.jobs.enqueue(requestOf(input, this.#warmer(input.entity))));
    res.set('Location', childPath(req, job.id));
    return outputOf(job);
  }

  @Get(':id')
  @DocFind()
  async find(@Param('id') id: string, @Res({ passthrough: true }) res: Response): Promise<WarmingJobOutput> {
    const job = await answered(this.jobs.find(id));
    if (!job) throw noSuchJob(id);
    res.set('Cache-Control', 'no-store');
    return outputOf(job);
  }

  @Delete(':id')
  @HttpCode(204)
  @DocCancel()
  async cancel(@Param('id') id: string): Promise<void> {
    if (!(await answered(this.jobs.cancel(id)))) throw noSuchJob(id);
  }

  /** @throws 400 */
  #warmer(entity: string | undefined): Warmer {
    const entities = this.warmers.entities();
    const named = entity ?? (entities.length === 1 ? entities[0] : undefined);
    const warmer = named === undefined ? undefined : this.warmers.named(named);
    if (warmer) return warmer;
    throw badRequest({ in: 'body', field: 'entity', message: `must be one of ${entities.join(', ')}` });
  }
}

/** @throws 400 */
function requestOf({ strategy, limit, ids }: WarmingJobInput, warmer: Warmer): WarmingRequest {
  if (ids && !ids.every((id) => (typeof id === 'string' || typeof id === 'number') && warmer.isId(id)))
    throw badRequest({ in: 'body', field: 'ids', message: `must be ids of ${warmer.entity}` });
  return { entity: warmer.entity, strategy, ...(limit !== undefined && { limit }), ...(ids && { ids }) };
}

/** @throws 503 */
async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof WarmingUnavailableError) throw unavailable(error.message, error.cause ?? error);
    throw error;
  }
}

function outputOf({ id, state, progress, request, ...rest }: WarmingJobView): WarmingJobOutput {
  const { entity, strategy, limit } = request;
  return { id, state, progress, entity, strategy, ...(limit !== undefined && { limit }), ...rest };
}

const noSuchJob = (id: string) => notFound(`There is no warming job ${id.slice(0, 32)}.`);
