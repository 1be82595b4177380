export { AdminModule, adminPathsOf } from './admin.module.js';
