import { type QueueOptions } from 'bull';
import { JobReleasedError } from '../warming.errors.js';
import { type ConnectionRole, type QueueConnections } from './queue-connections.js';

export const queueName = 'warming';
/** The braces make it one slot of a Redis Cluster. */
const prefixIn = (namespace: string): string => `{strata:${namespace}:bull}`;

/** A job whose node has died is free after the lock has run out and two looks at it: 4 to 9 seconds. */
export const lockDurationMs = 4_000;
const stalledIntervalMs = 2_000;
/** How often a node looks for delayed jobs that have become due. */
const guardIntervalMs = 1_000;
/** How often a job may lose its node before it is held to be the reason. */
const maxStalledCount = 10;

const firstRetryMs = 1_000;
const maxAttempts = 5;
const keptJobs = 100;

/** Exponential: 1, 3, 7, 15 s. A job that is handed over goes back to the queue at once. */
function backoffMs(attemptsMade: number, error: Error): number {
  return error instanceof JobReleasedError ? 0 : (2 ** Math.max(1, attemptsMade) - 1) * firstRetryMs;
}

export function queueOptions(connections: QueueConnections, namespace: string): QueueOptions {
  const prefix = prefixIn(namespace);
  const workerName = `${prefix}:${Buffer.from(queueName).toString('base64')}`;
  return {
    prefix,
    createClient: (role: ConnectionRole) => connections.make(role, workerName),
    settings: {
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount,
      guardInterval: guardIntervalMs,
      retryProcessDelay: 1_000,
      backoffStrategies: { warming: backoffMs },
    },
    defaultJobOptions: {
      attempts: maxAttempts,
      backoff: { type: 'warming' },
      removeOnComplete: { age: 7 * 86_400, count: keptJobs },
      removeOnFail: { age: 7 * 86_400, count: keptJobs },
      stackTraceLimit: 1,
    },
  };
}
