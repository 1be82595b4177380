export { isCrowded } from './bounded-pool.js';
export { compareColumnsOnly } from './column-schema-builder.js';
export { dataSourceOptions, type DatabaseSettings } from './data-source-options.js';
export { DatabaseModule } from './database.module.js';
export { inTransaction } from './in-transaction.js';
export { migrate } from './migrate.js';
export { type PoolUse, poolUse } from './pool-use.js';
export { codeOf, isDatabaseUnavailable } from './unavailable.js';
