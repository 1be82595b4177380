// @ts-check
import { TestEnvironment } from 'jest-environment-node';
import { WorkerServices } from './services/worker-services.mjs';

/** Lives as long as this Jest worker: Jest loads this module once per worker, and the modules of a test once per file. */
const services = new WorkerServices();

/** Gives every test file of a worker the same PostgreSQL and Redis, which start when a file first asks for them. */
export default class WorkerEnvironment extends TestEnvironment {
  /** @override */
  async setup() {
    await super.setup();
    Object.assign(this.global, { workerServices: services });
  }
}
