import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../http/index.js';
import { ItemsPage, ItemView } from './item.view.js';
import { maxInteger } from './dto/number.rules.js';

const text = (description: string, example?: string) => ({
  description,
  schema: { type: 'string' as const, ...(example !== undefined && { example }) },
});

const etag = { ETag: text('strong tag of exactly this body', '"q2xlBT0Zc5m8Hn1uYd3KaA"') };
const cacheStatus = {
  'Cache-Status': text(
    'what each cache layer did (RFC 9211), origin-most first',
    'strata-api; hit; ttl=57; detail=l1; strata-policy=write-through',
  ),
};
const location = { Location: text('path of the item', '/items/42') };

const meanings: Readonly<Record<number, string>> = {
  400: 'the id, a query parameter, a header or the body is not valid; `errors` names each field',
  404: 'there is no such item',
  406: 'the client accepts no JSON',
  412: 'the item is another version than `If-Match` names',
  413: 'the body is larger than 100 kB',
  415: 'the body is not application/json in UTF-8',
  422: 'the `Idempotency-Key` was used with another body',
  429: 'too many requests',
  503: 'the database does not answer, or not in time',
};

const problems = (...statuses: readonly number[]) =>
  ApiProblems(Object.fromEntries(statuses.map((status) => [status, meanings[status] ?? ''])));

const requestId = ApiHeader({
  name: 'X-Request-Id',
  required: false,
  description: 'answered, and written to the log',
});
const id = ApiParam({ name: 'id', schema: { type: 'integer', minimum: 1, maximum: maxInteger, example: 1 } });
const ifMatch = ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'act only on this version: a list of entity tags, or *',
});
const ifNoneMatch = ApiHeader({
  name: 'If-None-Match',
  required: false,
  description: 'answer 304 if the tag is still this one',
});
const notModified = ApiResponse({
  status: 304,
  description: 'the representation still has the tag that If-None-Match names',
  headers: { ...etag, ...cacheStatus },
});

export const DocFindPage = () =>
  applyDecorators(
    ApiOperation({
      summary: 'List items',
      description:
        'Pages by keyset: items that appear or vanish meanwhile move no others. A search for one or two characters looks at a bounded number of items per page: such a page may be short, even empty, and still have a `nextCursor`.',
    }),
    ifNoneMatch,
    requestId,
    ApiResponse({ status: 200, description: 'one page', type: ItemsPage, headers: { ...etag, ...cacheStatus } }),
    notModified,
    problems(400, 406, 429, 503),
  );

export const DocFindOne = () =>
  applyDecorators(
    ApiOperation({ summary: 'Read an item' }),
    id,
    ifNoneMatch,
    requestId,
    ApiResponse({ status: 200, description: 'the item', type: ItemView, headers: { ...etag, ...cacheStatus } }),
    notModified,
    problems(400, 404, 406, 429, 503),
  );

export const DocCreate = () =>
  applyDecorators(
    ApiOperation({ summary: 'Create an item' }),
    requestId,
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: '1 to 255 visible ASCII characters; a repetition with the same body within 24 h has the same answer',
    }),
    ApiResponse({ status: 201, description: 'the new item', type: ItemView, headers: { ...etag, ...location } }),
    problems(400, 406, 413, 415, 422, 429, 503),
  );

export const DocReplace = () =>
  applyDecorators(
    ApiOperation({ summary: 'Replace an item', description: 'Every field; an omitted description is none.' }),
    id,
    ifMatch,
    requestId,
    ApiResponse({ status: 200, description: 'the item as it is now', type: ItemView, headers: etag }),
    problems(400, 404, 406, 412, 413, 415, 429, 503),
  );

export const DocRemove = () =>
  applyDecorators(
    ApiOperation({ summary: 'Delete an item' }),
    id,
    ifMatch,
    requestId,
    ApiResponse({ status: 204, description: 'the item is gone' }),
    problems(400, 404, 406, 412, 429, 503),
  );
