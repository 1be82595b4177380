export { AdminModule, createAdminGuard } from './admin.module.js';
