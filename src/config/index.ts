export { ConfigModule } from './config.module.js';
export { ConfigurationError } from './config.errors.js';
export { loadSettings } from './load-settings.js';
export { redisAddress, type RedisCertificates } from './redis-address.js';
export { secretsOf } from './secrets.js';
export { type SettingDefinition, settingDefinitions } from './setting.decorator.js';
export { Settings } from './settings.js';
