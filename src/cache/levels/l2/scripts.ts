import { createHash } from 'node:crypto';
import * as derived from './scripts/derived.js';
import * as inspecting from './scripts/inspect.js';
import * as record from './scripts/record.js';
import * as rows from './scripts/rows.js';
import * as tags from './scripts/tags.js';
import * as trial from './scripts/trial.js';

const source = { ...derived, ...inspecting, ...record, ...rows, ...tags, ...trial };

export type ScriptName = keyof typeof source;

export interface Script {
  readonly text: string;
  readonly sha: string;
}

export const scripts = Object.fromEntries(
  Object.entries(source).map(([name, text]) => [name, { text, sha: createHash('sha1').update(text).digest('hex') }]),
) as Record<ScriptName, Script>;
