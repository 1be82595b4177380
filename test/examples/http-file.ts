import { request } from 'undici';
import { until } from '../support/until.js';

/** One request of a `.http` file, and the status that its title promises. */
interface Example {
  readonly title: string;
  readonly status: number;
  readonly name: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** @see https://github.com/Huachao/vscode-restclient */
export function examplesIn(text: string): Example[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [, status, title] = /^(\d{3}): (.+)$/m.exec(part)!;
      const [head = '', ...body] = part.slice(part.indexOf('\n') + 1).split('\n\n');
      const lines = head.split('\n').filter((line) => !line.startsWith('#') && line !== '');
      const [method = '', target = ''] = lines[0]!.split(' ');
      const headers = lines.slice(1).map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]);
      const name = /^# @name (\w+)$/m.exec(head)?.[1];
      return { title: title!, status: Number(status), name, method, target, headers, body: body.join('\n\n').trim() };
    });
}

/** Sends them in order; later ones use what earlier ones were answered. @returns status and title of each */
export async function run(examples: readonly Example[], variables: Readonly<Record<string, string>>) {
  const answers = new Map<string, Readonly<Record<string, unknown>>>();
  const filled = (text: string) =>
    text.replace(/\{\{(\w+)(?:\.response\.headers\.([\w-]+))?\}\}/g, (_, name: string, field?: string) => {
      const value = field === undefined ? variables[name] : answers.get(name)?.[field.toLowerCase()];
      if (typeof value !== 'string') throw new Error(`nothing is known of ${name}`);
      return value;
    });
  const found: string[] = [];
  for (const { title, name, method, target, headers, body } of examples) {
    const fields = Object.fromEntries(headers.map(([field, value]) => [field, filled(value)]));
    // Not fetch: it makes a request with a condition one for a fresh answer.
    const send = async () => {
      const answer = await request(filled(target), { method, headers: fields, body: filled(body) || null });
      await answer.body.dump();
      return answer;
    };
    let response = await send();
    // A check of the service's health has less than a second, which a machine may stand still.
    await until(async () => response.statusCode !== 503 || (response = await send()).statusCode !== 503);
    if (name) answers.set(name, response.headers);
    found.push(`${response.statusCode}: ${title}`);
  }
  return found;
}
