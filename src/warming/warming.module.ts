import { BullModule } from '@nestjs/bull';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Namespace, RedisFaults } from '../cache/index.js';
import { type Settings } from '../config/index.js';
import { Inspector } from './inspector.js';
import { WarmingAfterFlush } from './after-flush.js';
import { WarmingAtBoot } from './at-boot.js';
import { BoardController } from './board.controller.js';
import { WarmingJobs } from './jobs.js';
import { QueueConnections } from './queue/queue-connections.js';
import { queueName, queueOptions } from './queue/queue-options.js';
import { WarmingQueue } from './queue/warming-queue.js';
import { WarmingRunner } from './runner.js';
import { WarmingSchedule } from './schedule.js';
import { Warmers } from './warmers.js';
import { WarmingController } from './warming.controller.js';

/** Fills the shared level ahead of its readers. Without a Redis everything is there, and says that it cannot; its routes are the operator's. */
@Global()
@Module({})
export class WarmingModule {
  static forRoot(settings: Settings): DynamicModule {
    const { redisUrl, adminToken } = settings;
    const connections = redisUrl === undefined ? undefined : new QueueConnections(redisUrl, settings);
    return {
      module: WarmingModule,
      imports: connections
        ? [
            BullModule.registerQueueAsync({
              name: queueName,
              inject: [Namespace, RedisFaults],
              useFactory: async (namespace: Namespace, faults: RedisFaults) => {
                connections.reportTo(faults);
                return queueOptions(connections, await nameOf(namespace, connections));
              },
            }),
          ]
        : [],
      controllers: adminToken === undefined ? [] : [WarmingController, BoardController],
      providers: [
        ...(connections ? [{ provide: QueueConnections, useValue: connections }] : []),
        Warmers,
        WarmingQueue,
        WarmingJobs,
        WarmingSchedule,
        WarmingRunner,
        WarmingAfterFlush,
        WarmingAtBoot,
        Inspector,
      ],
      exports: [Warmers, WarmingQueue, WarmingJobs, WarmingAtBoot],
    };
  }
}

/** Where PostgreSQL does not say which database it is, nobody knows whose jobs there are: the node goes without a queue. */
function nameOf(namespace: Namespace, connections: QueueConnections): Promise<string> {
  return namespace.find().catch((error: Error) => {
    connections.refuse(error);
    return 'none';
  });
}
