import { STATUS_CODES } from 'node:http';
import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

const text = { type: 'string' as const };

/** The schema of {@link Problem}. */
const problemSchema = {
  type: 'object' as const,
  required: ['type', 'title', 'status'],
  properties: {
    type: { ...text, example: 'about:blank' },
    title: text,
    status: { type: 'integer' as const },
    detail: text,
    errors: {
      type: 'array' as const,
      items: {
        type: 'object' as const,
        required: ['in', 'field', 'message'],
        properties: { in: { ...text, enum: ['body', 'query', 'path', 'header'] }, field: text, message: text },
      },
    },
  },
};

const retryAfter = { 'Retry-After': { description: 'seconds to wait', schema: { ...text, example: '1' } } };

/** Documents the problems that a route answers with: what each status means there. */
export const ApiProblems = (meanings: Readonly<Record<number, string>>) =>
  applyDecorators(
    ...Object.entries(meanings).map(([status, description]) =>
      ApiResponse({
        status: Number(status),
        description,
        content: {
          'application/problem+json': {
            schema: problemSchema,
            example: { type: 'about:blank', title: STATUS_CODES[status], status: Number(status) },
          },
        },
        ...((status === '503' || status === '429') && { headers: retryAfter }),
      }),
    ),
  );
