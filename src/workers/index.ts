export { Primary } from './primary.js';
export { Siblings } from './siblings.js';
export { workerName } from './worker.js';
export { WorkersModule } from './workers.module.js';
