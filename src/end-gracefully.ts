import { Logger } from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type Settings } from './config/index.js';
import { endsWithinMs } from './ends-within.js';
import { GracefulShutdown } from './http/index.js';
import { workerName } from './workers/index.js';

/**
 * Ends the process once requests are finished and connections closed: with 0 after a signal, with 1 after an error that
 * nobody caught, since nobody knows what it has left half done. A second reason, or the deadline, ends it at once.
 */
export function endGracefully(app: NestExpressApplication, settings: Settings): void {
  const logger = new Logger('Process');
  const fatal = (error: unknown) => logger.fatal(error);
  let leaving = false;

  const leave = (code: 0 | 1) => {
    // A second reason.
    if (leaving) process.exit(1);
    leaving = true;
    const { drainDelayMs: delayMs, drainTimeoutMs: timeoutMs } = settings;
    setTimeout(() => {
      logger.error('not ended in time');
      process.exit(1);
    }, endsWithinMs(settings)).unref();
    app
      .get(GracefulShutdown)
      .drain({ delayMs, timeoutMs })
      .then(() => app.close())
      .then(() => process.exit(code))
      .catch((error: unknown) => {
        fatal(error);
        process.exit(1);
      });
  };

  // A worker is told by the process above it, and often by whoever told that one, too: the terminal, or the supervisor.
  const told = () => (leaving && workerName() !== undefined) || leave(0);
  process.on('SIGTERM', told).on('SIGINT', told);
  process.once('disconnect', () => leaving || leave(0)); // the parent is gone
  // A rejection that nobody handles is raised as this, too.
  process.on('uncaughtException', (error) => {
    fatal(error);
    leave(1);
  });
}
