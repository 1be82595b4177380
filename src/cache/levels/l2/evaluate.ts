import { type RedisClient } from './redis-client.js';
import { type ScriptName, scripts } from './scripts.js';

/**
 * Makes the scripts known to the server, so that on this connection each is one command, executed in the order of sending.
 * @throws where the server refuses
 */
export async function loadScripts(client: RedisClient): Promise<void> {
  await Promise.all(Object.values(scripts).map(({ text }) => client.scriptLoad(text)));
}

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
