import { rmSync } from 'node:fs';
import { DATA, ROOT } from '../../scripts/services/folders.mjs';
import { placePostgres } from '../../scripts/services/postgres-binaries.mjs';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { HOW_TO_GET_REDIS, findRedis } from '../../scripts/services/redis-binary.mjs';
import { openTestFolder } from '../../scripts/services/test-folder.mjs';
import { buildIfNeeded } from '../../scripts/start/build.mjs';
import { publish } from './services/environment.mjs';

/** What the teardown finds; Jest loads the two apart from each other, only the global object is the same. */
export type TearDown = { strataTearDown?: () => Promise<void> };

type GlobalConfig = { readonly testPathPatterns: { readonly patterns: readonly string[] } };

/**
 * Before all tests: finds PostgreSQL and Redis, and a folder for this run. Each Jest worker then starts servers of its own
 * from them (`worker-services.mjs`). No process outlives Jest, however Jest ends. A run of everything needs the built service:
 * it is built here, and not on the time of whichever file comes first.
 */
export default async function setUp({ testPathPatterns }: GlobalConfig): Promise<void> {
  const say = (line: string): void => console.log(line);
  const redis = await findRedis({ say });
  if (!redis) throw new Error(`the tests need Redis and there is none here. To get one: ${HOW_TO_GET_REDIS}`);

  if (testPathPatterns.patterns.length === 0) await buildIfNeeded(ROOT, { say, signal: new AbortController().signal });

  const place = placePostgres(DATA);
  const folder = await openTestFolder(DATA);
  const postgresFolder = place.folder === DATA ? folder : await openTestFolder(place.folder);
  publish({ folder, redis, place: { ...place, folder: postgresFolder } });

  (globalThis as TearDown).strataTearDown = async () => {
    await stopLeftovers(recordsIn(folder));
    for (const used of [folder, postgresFolder]) rmSync(used, { recursive: true, force: true });
  };
}
