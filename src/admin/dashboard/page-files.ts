import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page, with the tag of its bytes. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const folder = join(dirname(fileURLToPath(import.meta.url)), 'page');
const chart = join(dirname(createRequire(import.meta.url).resolve('uplot')));

/** Of the charts' library, under the names that the page uses. */
const charts: Readonly<Record<string, string>> = {
  'uplot.js': join(chart, 'uPlot.esm.js'),
  'uplot.css': join(chart, 'uPlot.min.css'),
};

/**
 * Everything that the page consists of, read once. It stands next to this file, in the sources and in what is built from
 * them; a build without it does not start.
 */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const own = readdirSync(folder).map((name) => [name, join(folder, name)] as const);
  return new Map(
    [...own, ...Object.entries(charts)].flatMap(([name, path]) => {
      const type = types[extname(name)];
      return type === undefined ? [] : [[name, pageFile(type, readFileSync(path))]];
    }),
  );
}

/** The same page where prefixes or modules have put the service below another path. */
export function belowRoot({ type, body }: PageFile, root: string): PageFile {
  const quoted = root.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return pageFile(type, Buffer.from(body.toString().replace(/(?<=(?:href|src)=")\//g, () => `${quoted}/`)));
}

export function pageFile(type: string, body: Buffer): PageFile {
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
