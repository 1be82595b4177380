import { type WorkerServices } from './worker-services.mjs';

/** What {@link WorkerServices} has put into the global object of this test file. */
export function workerServices(): WorkerServices {
  const { workerServices } = globalThis as { workerServices?: WorkerServices };
  if (!workerServices) throw new Error('no worker services: is test/support/jest/environment.mjs the testEnvironment?');
  return workerServices;
}

/** The Redis of this Jest worker, emptied: for tests that neither stop nor configure it. */
export const sharedRedis = async (): Promise<SharedRedis> => ({ url: await workerServices().redisUrl() });

export interface SharedRedis {
  readonly url: string;
}
