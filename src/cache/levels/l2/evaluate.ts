import { type RedisClient } from './redis-client.js';
import { type ScriptName, scripts } from './scripts.js';

/** By digest, and by text where the server does not know the script (any more): `SCRIPT FLUSH`, restart, failover. */
export async function evaluate(
  client: RedisClient,
  name: ScriptName,
  options: { keys: string[]; arguments: string[] },
): Promise<unknown> {
  const { sha, text } = scripts[name];
  try {
    return await client.evalSha(sha, options);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return client.eval(text, options);
  }
}
