import { notFound, ProblemException } from '../http/index.js';

/** 404: the id is well-formed, but no row has it. */
export function noSuchItem(id: number): ProblemException {
  return notFound(`There is no item ${id}.`);
}

/** 412: `If-Match` named another version than the current one. */
export function itemHasChanged(): ProblemException {
  return new ProblemException(412, 'The item is not the version that If-Match names: read it again.');
}

/** 422: a retried request must be the same request. */
export function keyUsedForAnotherBody(): ProblemException {
  const errors = [{ in: 'header' as const, field: 'Idempotency-Key', message: 'was used with another body' }];
  return new ProblemException(422, 'This Idempotency-Key was used with another body.', { errors });
}
