// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { openWorld } from '../../verify/world.mjs';
import { counts, kept, LiveHistory, patientNodes, worldOptions } from '../history.mjs';
import { Crashes } from '../crashes.mjs';

/** @type {import('../scenarios.mjs').Scenario} */
export const redisRestarts = {
  name: 'redis-restarts',
  title: 'Redis is killed and comes back empty, again and again',
  policy: 'write-through',
  full: { times: 20 },
  short: { times: 2 },
  async run(stage) {
    const crashes = new Crashes(stage);
    const world = await openWorld(worldOptions(stage, { env: patientNodes }), { ...stage, onCrash: crashes.note });
    const history = new LiveHistory(stage, world);
    const workload = history.load({ readers: 3, writers: 2 });
    for (let time = 0; time < (stage.size.times ?? 1); time += 1) {
      stage.signal.throwIfAborted();
      await sleep(stage.random.between(200, 1_500));
      await history.fault('redis-restart', async () => {
        await world.redis.kill();
        await sleep(stage.random.between(0, 800));
        await world.redis.restart();
      });
    }
    await sleep(1_000);
    await workload.stop();
    const judgement = await history.judge();
    const failed = history.recorder.reads.filter(({ outcome }) => outcome !== 'ok');
    return {
      requirements: [
        { claim: 'no read fails', met: failed.length === 0, seen: `${failed.length} of ${judgement.reads}` },
        kept(judgement),
        crashes.none(),
      ],
      figures: counts(judgement),
    };
  },
};
