import { rmSync } from 'node:fs';
import { DATA } from '../../scripts/services/folders.mjs';
import { placePostgres } from '../../scripts/services/postgres-binaries.mjs';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { HOW_TO_GET_REDIS, findRedis } from '../../scripts/services/redis-binary.mjs';
import { openTestFolder } from '../../scripts/services/test-folder.mjs';
import { publish } from './services/environment.mjs';

/** What the teardown finds; Jest loads the two apart from each other, only the global object is the same. */
export type TearDown = { strataTearDown?: () => Promise<void> };

/**
 * Before all tests: finds PostgreSQL and Redis, and a folder for this run. Each Jest worker then starts servers of its own
 * from them (`worker-services.mjs`). No process outlives Jest, however Jest ends.
 */
export default async function setUp(): Promise<void> {
  const redis = await findRedis({ say: (line) => console.log(line) });
  if (!redis) throw new Error(`the tests need Redis and there is none here. To get one: ${HOW_TO_GET_REDIS}`);

  const place = placePostgres(DATA);
  const folder = await openTestFolder(DATA);
  const postgresFolder = place.folder === DATA ? folder : await openTestFolder(place.folder);
  publish({ folder, redis, place: { ...place, folder: postgresFolder } });

  (globalThis as TearDown).strataTearDown = async () => {
    await stopLeftovers(recordsIn(folder));
    for (const used of [folder, postgresFolder]) rmSync(used, { recursive: true, force: true });
  };
}
