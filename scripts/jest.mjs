// @ts-check
import { run } from 'jest';
import { watchLauncher } from './start/launcher.mjs';

/**
 * Jest, with the arguments of the command line. It ends with the npm that started it: npm signals only the shell between
 * the two, and not every shell passes the signal on.
 */
watchLauncher(() => process.kill(process.pid, 'SIGTERM'));
process.env['NODE_ENV'] ??= 'test';
await run();
