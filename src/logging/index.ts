export { createLogger, type LoggerOptions } from './create-logger.js';
export { NestLogger } from './nest-logger.js';
export { withoutPasswords, withoutSecrets } from './secrets.js';
