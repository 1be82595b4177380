import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** One fault of a request, named so that a program can find the field. */
export interface FieldError {
  readonly in: 'body' | 'query' | 'path' | 'header';
  readonly field: string;
  readonly message: string;
}

/** The body of every error (RFC 9457, `application/problem+json`). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
}

export interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Whoever makes more mistakes at once is told of these first. */
const maxErrors = 20;

/** `about:blank` means: nothing more than the status says (RFC 9457, 4.2.1). */
export function problemOf(status: number, detail?: string, errors?: readonly FieldError[]): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail !== undefined && { detail }),
    ...(errors && errors.length > 0 && { errors: errors.slice(0, maxErrors) }),
  };
}

/** What any part of the service throws to answer with a problem. */
export class ProblemException extends HttpException {
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, { errors, headers = {}, cause }: ProblemOptions = {}) {
    super(problemOf(status, detail, errors), status, { cause });
    this.message = detail;
    this.headers = headers;
  }
}

export function badRequest(...errors: readonly FieldError[]): ProblemException {
  const others = errors.length > maxErrors ? ` ${errors.length} errors; the first ${maxErrors} are named.` : '';
  return new ProblemException(400, `The request is not valid.${others}`, { errors });
}

export function notFound(detail = 'There is no such resource.'): ProblemException {
  return new ProblemException(404, detail);
}

/** @param retryAfterSeconds what the client is asked to wait, in seconds */
export function unavailable(detail: string, cause?: unknown, retryAfterSeconds = 1): ProblemException {
  return new ProblemException(503, detail, { headers: { 'Retry-After': String(retryAfterSeconds) }, cause });
}
