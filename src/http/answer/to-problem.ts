import { HttpException } from '@nestjs/common';
import { type FieldError, ProblemException } from './problem.js';

/** Says what an error of some lower layer means to a client; `undefined`: not mine. */
export type ErrorTranslator = (error: unknown) => ProblemException | undefined;

/** Never reveals a message that was not written for clients. */
export function toProblemException(thrown: unknown, translators: readonly ErrorTranslator[]): ProblemException {
  if (thrown instanceof ProblemException) return thrown;
  if (thrown instanceof HttpException) return fromNest(thrown);
  if (isHttpError(thrown) && thrown.statusCode < 500)
    return new ProblemException(thrown.statusCode, detailOfHttpError(thrown), { cause: thrown });
  for (const translate of translators) {
    const translated = translate(thrown);
    if (translated) return translated;
  }
  return new ProblemException(500, 'The service failed to answer this request.', { cause: thrown });
}

function fromNest(exception: HttpException): ProblemException {
  const status = exception.getStatus();
  if (isHttpError(exception.cause)) return toProblemException(exception.cause, []);
  const response = exception.getResponse();
  const message = typeof response === 'object' && 'message' in response ? response.message : response;
  const errors = Array.isArray(message)
    ? message.map((text): FieldError => ({ in: 'body', field: 'body', message: String(text) }))
    : [];
  const detail = typeof message === 'string' ? message : exception.message;
  return new ProblemException(status, detail, { errors, cause: exception.cause ?? exception });
}

/** An error of the `http-errors` package, as Express and its body parsers throw them. */
interface HttpError extends Error {
  readonly statusCode: number;
  readonly expose?: boolean;
  readonly type?: string;
}

function isHttpError(value: unknown): value is HttpError {
  return value instanceof Error && 'statusCode' in value && typeof value.statusCode === 'number';
}

const details: Readonly<Record<string, string>> = {
  'entity.too.large': 'The body is larger than 100 kB.',
  'encoding.unsupported': 'The content encoding of the body is not supported.',
  'request.aborted': 'The body ended early.',
  'request.size.invalid': 'The body does not have the length that Content-Length says.',
};

function detailOfHttpError(error: HttpError): string {
  if (error instanceof URIError) return 'The path is not valid percent-encoded UTF-8.';
  return details[error.type ?? ''] ?? (error.type?.startsWith('entity') ? error.message : 'The request is not valid.');
}
