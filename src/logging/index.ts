export { createLogger, type LoggerOptions } from './create-logger.js';
export { NestLogger } from './nest-logger.js';
export { withoutPasswords } from './secrets.js';
