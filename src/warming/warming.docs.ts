import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { WarmingJobInput, WarmingJobOutput } from './warming.dto.js';

const meanings: Readonly<Record<number, string>> = {
  400: 'the body or a query parameter is not valid; `errors` names each field',
  401: 'the token is missing or wrong',
  404: 'there is no such job (any more)',
  413: 'the body is larger than 100 kB',
  415: 'the body is not application/json in UTF-8',
  503: 'no Redis is configured, or it does not answer in time',
};

const retryAfter = {
  'Retry-After': { description: 'seconds to wait', schema: { type: 'string' as const, example: '1' } },
};

const problems = (...statuses: readonly number[]) =>
  statuses.map((status) =>
    ApiResponse({
      status,
      description: meanings[status] ?? '',
      content: {
        'application/problem+json': {
          schema: {
            type: 'object',
            required: ['type', 'title', 'status'],
            properties: {
              type: { type: 'string', example: 'about:blank' },
              title: { type: 'string' },
              status: { type: 'integer', example: status },
              detail: { type: 'string' },
            },
          },
        },
      },
      ...(status === 503 && { headers: retryAfter }),
    }),
  );

const id = ApiParam({ name: 'id', example: '17' });

export const DocStart = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Warm the shared level',
      description: 'A job for the same is not started twice: while one is waiting or active, that one is answered.',
    }),
    ApiBody({
      type: WarmingJobInput,
      examples: {
        recent: { value: { strategy: 'recent', limit: 1000 } },
        all: { value: { strategy: 'all' } },
        lists: { value: { strategy: 'lists' } },
        ids: { value: { strategy: 'ids', ids: [1, 2, 42] } },
      },
    }),
    ApiResponse({
      status: 202,
      description: 'the job, new or not',
      type: WarmingJobOutput,
      headers: {
        Location: { description: 'path of the job', schema: { type: 'string', example: '/admin/warming/jobs/17' } },
      },
    }),
    ...problems(400, 401, 413, 415, 503),
  );

export const DocFind = () =>
  applyDecorators(
    ApiOperation({ summary: 'How far a warming job is' }),
    id,
    ApiResponse({ status: 200, description: 'the job', type: WarmingJobOutput }),
    ...problems(401, 404, 503),
  );

export const DocCancel = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Cancel a warming job',
      description: 'A waiting job is removed; an active one ends behind its batch. A finished one stays as it is.',
    }),
    id,
    ApiResponse({ status: 204, description: 'it does not go on' }),
    ...problems(401, 404, 503),
  );
