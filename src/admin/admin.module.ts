import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Clock, SystemClock } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { type PathGuard } from '../http/index.js';
import { CacheStats } from './cache-stats.service.js';
import { CacheController } from './cache.controller.js';
import { DashboardController } from './dashboard/dashboard.controller.js';
import { LiveCounters } from './dashboard/live-counters.service.js';
import { QueueLook } from './dashboard/queue-look.service.js';
import { EventsController } from './events.controller.js';
import { LiveEvents } from './events/live-events.service.js';
import { AdminGuard, adminPaths } from './guard/admin-guard.js';
import { Credentials } from './guard/credentials.js';
import { NodeName } from './nodes/node-name.js';
import { Notices } from './nodes/notices.service.js';
import { OtherNodes } from './nodes/other-nodes.service.js';
import { PoliciesController } from './policies.controller.js';
import { SessionController } from './session.controller.js';

const credentialsOf = ({ adminToken }: Settings, clock: Clock): Credentials | undefined =>
  adminToken === undefined ? undefined : new Credentials(adminToken, clock);

/** What stands before `admin` paths that no controller serves, for the application to put before every route. */
export const adminPathsOf = (settings: Settings, prefixOf: () => string): PathGuard =>
  adminPaths(credentialsOf(settings, new SystemClock()), prefixOf);

/** The operator's routes, which exist where there is a token; the guard that stands before them; and the dashboard. */
@Module({})
export class AdminModule {
  static forRoot({ adminToken }: Settings): DynamicModule {
    return {
      module: AdminModule,
      controllers: [
        ...(adminToken === undefined ? [] : [SessionController, CacheController, PoliciesController, EventsController]),
        DashboardController,
      ],
      providers: [
        CacheStats,
        NodeName,
        Notices,
        OtherNodes,
        LiveEvents,
        QueueLook,
        LiveCounters,
        { provide: Credentials, inject: [Settings, Clock], useFactory: credentialsOf },
        { provide: APP_GUARD, useClass: AdminGuard },
      ],
    };
  }
}
