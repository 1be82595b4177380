import { types } from 'node:util';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { type ErrorTranslator, toProblemException } from './to-problem.js';
import { type Problem } from './problem.js';
import { sendProblem } from './send-problem.js';

/** Turns whatever was thrown into a problem. What is not understood is logged and answered with a bare 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly translators: readonly ErrorTranslator[]) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const res = host.switchToHttp().getResponse<Response>();
    const req = host.switchToHttp().getRequest<Request>();
    if (res.writableEnded) return; // the deadline has answered already
    const exception = toProblemException(thrown, this.translators);
    const status = exception.getStatus();
    if (status >= 500) this.report(status, req, exception.cause ?? exception);
    sendProblem(res, exception.getResponse() as Problem, exception.headers);
  }

  private report(status: number, req: Request, cause: unknown): void {
    const message = types.isNativeError(cause) ? cause.message : String(cause);
    const line = `${status} ${req.method} ${req.path}: ${message}`;
    if (status === 503) this.logger.warn(line);
    else this.logger.error(line, types.isNativeError(cause) ? (cause.stack ?? '') : '', 'Http');
  }
}
