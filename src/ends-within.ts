import { type Settings } from './config/index.js';

/** How long closing connections to PostgreSQL and Redis may take after the requests are done. */
const closeTimeoutMs = 5_000;

/** The longest that a process takes to end. */
export const endsWithinMs = ({ drainDelayMs, drainTimeoutMs }: Settings): number =>
  drainDelayMs + drainTimeoutMs + closeTimeoutMs;
