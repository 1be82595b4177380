import 'reflect-metadata';
import cluster from 'node:cluster';
import { ConfigurationError, loadSettings, secretsOf, type Settings } from './config/index.js';
import { endsWithinMs } from './ends-within.js';
import { createLogger, NestLogger, withoutPasswords } from './logging/index.js';
import { Primary } from './workers/index.js';

try {
  const settings = loadSettings();
  await (cluster.isPrimary && settings.webConcurrency > 1 ? above(settings) : main(settings));
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

/** The process above several of them. */
async function above(settings: Settings): Promise<void> {
  const logger = new NestLogger(createLogger({ level: settings.logLevel, secrets: secretsOf(settings) }));
  const { webConcurrency: workers } = settings;
  // A worker's own deadline comes first: it says what it has not finished.
  const options = { workers, endsWithinMs: endsWithinMs(settings) + 1_000, logger, onReady: announce };
  process.exit(await new Primary(options).run());
}

/** The rest of the service is loaded here: the process above the workers does without it, and starts sooner and smaller. */
async function main(settings: Settings): Promise<void> {
  const { serve } = await import('./serve.js');
  const url = await serve(settings);
  if (url !== undefined) announce(url);
}

/** A parent that started this process over IPC prints the line itself, with what else it knows. */
function announce(url: string): void {
  if (process.send) process.send({ type: 'ready', url });
  else console.log(`ready url=${url}`);
}

function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken: set PORT to another one, or to 0 for any free one`;
  return `the service cannot start: ${withoutPasswords(error.message || String(code))}`;
}
