import { QueueConnections } from '../../src/warming/queue/queue-connections.js';
import { sharedRedis } from '../support/services.js';
import { until } from '../support/until.js';

it('a connection of the queue that Bull makes after the end is none', async () => {
  const redis = await sharedRedis();
  const connections = new QueueConnections(redis.url);
  connections.end();
  const late = connections.make('bclient', 'late');
  await until(() => late.status === 'end');
});

it('a connection of the queue that Bull connects twice, or while it ends, is nobody’s unhandled rejection', async () => {
  const redis = await sharedRedis();
  const connections = new QueueConnections(redis.url);
  const waiting = connections.make('bclient', 'waiting');
  await expect(waiting.connect()).resolves.toBeUndefined();
  await until(() => waiting.status === 'ready');
  waiting.disconnect();
  const connecting = waiting.connect();
  connections.end();
  await expect(connecting).resolves.toBeUndefined();
});
