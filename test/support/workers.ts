import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

/** On a connection of its own: these are given to the workers in turn. */
export function ask(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: new Agent(), headers }, (res) => {
      text(res).then((body) => resolve({ status: res.statusCode!, body }), reject);
    }).once('error', reject);
  });
}

/** The names of the workers that metrics are from. */
export const workersIn = (metrics: string): string[] => [
  ...new Set([...metrics.matchAll(/worker="(\d+)"/g)].map(([, name]) => String(name))),
];
