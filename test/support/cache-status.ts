import { type Response } from 'supertest';

/** The members of `Cache-Status`, by layer. */
export function cacheStatus({ headers }: Pick<Response, 'headers'>): { readonly api?: string; readonly db?: string } {
  const members = String((headers as Record<string, string>)['cache-status'] ?? '').split(', ');
  const of = (layer: string): string | undefined =>
    members.find((member) => member.startsWith(`strata-${layer};`))?.slice(`strata-${layer}; `.length);
  const [api, db] = [of('api'), of('db')];
  return { ...(api !== undefined && { api }), ...(db !== undefined && { db }) };
}
