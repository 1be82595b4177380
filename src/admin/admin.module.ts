import { Module } from '@nestjs/common';
import { Clock, SystemClock } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { CacheStats } from './cache-stats.service.js';
import { CacheController } from './cache.controller.js';
import { DashboardController } from './dashboard/dashboard.controller.js';
import { LiveCounters } from './dashboard/live-counters.service.js';
import { QueueLook } from './dashboard/queue-look.service.js';
import { EventsController } from './events.controller.js';
import { LiveEvents } from './events/live-events.service.js';
import { AdminGuard } from './guard/admin-guard.js';
import { Credentials } from './guard/credentials.js';
import { NodeName } from './nodes/node-name.js';
import { Notices } from './nodes/notices.service.js';
import { OtherNodes } from './nodes/other-nodes.service.js';
import { PoliciesController } from './policies.controller.js';
import { SessionController } from './session.controller.js';

const credentialsOf = ({ adminToken }: Settings, clock: Clock): Credentials | undefined =>
  adminToken === undefined ? undefined : new Credentials(adminToken, clock);

/** What stands before `/admin`, for the application to put before every route: also those of other modules. */
export const createAdminGuard = (settings: Settings): AdminGuard =>
  new AdminGuard(credentialsOf(settings, new SystemClock()));

/** The operator's routes, and the dashboard. */
@Module({
  controllers: [SessionController, CacheController, PoliciesController, EventsController, DashboardController],
  providers: [
    CacheStats,
    NodeName,
    Notices,
    OtherNodes,
    LiveEvents,
    QueueLook,
    LiveCounters,
    { provide: Credentials, inject: [Settings, Clock], useFactory: credentialsOf },
  ],
})
export class AdminModule {}
