import { type Request } from 'express';

/** The path of a request without a slash at its end. */
export const pathOf = ({ baseUrl, path }: Request): string => `${baseUrl}${path}`.replace(/\/+$/, '');

/** The path of a resource below the one that was asked for, wherever prefixes, versions and modules have put it. */
export const childPath = (req: Request, name: string | number): string => `${pathOf(req)}/${name}`;

/** The path above the last part of the one that was asked for; empty at the root. */
export const parentPath = (req: Request): string => pathOf(req).replace(/\/[^/]*$/, '');
