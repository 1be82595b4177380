import cluster from 'node:cluster';
import { type Downward, type Upward } from './messages.js';

/** What a worker is called on its command line, where operators see it, too. */
export const argumentsOf = (name: string): string[] => ['worker', name];

/** From `1` on, and its successor's, too; undefined: this process is the only one. */
export const workerName = (): string | undefined => (cluster.isWorker ? process.argv.at(-1) : undefined);

export function hear(listener: (message: Downward) => void): () => void {
  process.on('message', listener);
  return () => process.off('message', listener);
}

export const tell = (message: Upward): unknown => process.send?.(message);
