import { UnusableRedisError } from '../../cache.errors.js';
import { loadScripts } from './evaluate.js';
import { hasNo, infoField, lacks, missingRight, reasons } from './fault-reason.js';
import { trialChannel, trialKeys } from './keys.js';
import { type RedisClient } from './redis-client.js';
import { scripts } from './scripts.js';

/** The first with `#!lua` and `PEXPIRE … NX`. */
const oldestVersion = 7;

/**
 * Finds out whether the cache can be kept in a server before anything is: by what it says it is, and by trying every command
 * that is used, so that missing rights are named, all at once. Makes the scripts known to it.
 * @throws {UnusableRedisError} why it cannot, and what to do
 */
export async function admit(client: RedisClient, namespace: string): Promise<void> {
  assertSuitable(await client.info());
  const { text, sha } = scripts.tryCommands;
  const trial = { keys: trialKeys(namespace), arguments: [trialChannel(namespace)] };
  const tried = await Promise.allSettled([
    client.eval(text, trial) as Promise<[command: string, message: string][]>,
    loadScripts(client),
    client.evalSha(sha, trial),
  ]);
  const errors = tried.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const refused = tried[0].status === 'fulfilled' ? tried[0].value : [];
  const rights = [
    ...errors.map(({ message }) => missingRight(message)),
    ...refused.map(([command, message]) => missingRight(message, command)),
  ].filter((right) => right !== undefined);
  if (rights.length > 0) throw new UnusableRedisError(lacks(rights));
  if (errors[0]) throw errors[0];
  if (refused.length > 0) throw new UnusableRedisError(hasNo(refused.map(([command]) => command)));
}

function assertSuitable(info: string): void {
  const version = infoField(info, 'redis_version');
  if (Number.parseInt(version, 10) < oldestVersion)
    throw new UnusableRedisError(`Redis ${version.replace(/[^\d.]/g, '')} is too old: version 7.0 or later is needed`);
  if (infoField(info, 'redis_mode') === 'sentinel') throw new UnusableRedisError(reasons.sentinel);
  if (infoField(info, 'cluster_enabled') === '1') throw new UnusableRedisError(reasons.cluster);
  if (infoField(info, 'role') === 'slave') throw new UnusableRedisError(reasons.replica);
}
