import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiCookieAuth, ApiOperation } from '@nestjs/swagger';
import { ApiProblems } from '../http/index.js';

const always = {
  401: 'the admin token is missing or wrong',
  404: 'no `ADMIN_TOKEN` is configured: the admin routes do not exist',
};
const ofChanges = {
  403: 'a session, and a page of another host (`Origin`) asks for a change',
  413: 'the body is larger than 100 kB',
  415: 'the body is not application/json in UTF-8',
};
export const ofRedis = { 503: 'Redis does not answer: nothing was done on the other nodes' };

/** Documents an admin route: its credentials and its problems. */
export const AdminRoute = (summary: string, description: string, problems: Readonly<Record<number, string>> = {}) =>
  applyDecorators(
    ApiBearerAuth('admin'),
    ApiCookieAuth('session'),
    ApiOperation({ summary, description }),
    ApiProblems({ ...always, ...problems }),
  );

/** The same, of a route that changes something. */
export const AdminChange = (summary: string, description: string, problems: Readonly<Record<number, string>> = {}) =>
  AdminRoute(summary, description, { ...ofChanges, ...problems });
