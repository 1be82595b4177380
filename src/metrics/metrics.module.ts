import { Module } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { workerName } from '../workers/index.js';
import { CacheMetrics } from './cache-metrics.js';
import { HttpMetrics } from './http-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { AppRegistry } from './registry.js';
import { ResourceMetrics } from './resource-metrics.js';

@Module({
  providers: [
    { provide: AppRegistry, useFactory: () => new AppRegistry(workerName()) },
    CacheMetrics,
    HttpMetrics,
    ResourceMetrics,
  ],
  exports: [AppRegistry],
})
class RegistryModule {}

/** Without the package's global registry: its metrics, Node's own included, would be shared by all applications. */
const prometheus = PrometheusModule.register({
  path: 'metrics',
  controller: MetricsController,
  defaultMetrics: { enabled: false },
});

/** `GET /metrics`. */
@Module({ imports: [{ ...prometheus, imports: [RegistryModule] }] })
export class MetricsModule {}
