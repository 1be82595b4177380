import { type DynamicModule, Module } from '@nestjs/common';
import { type Settings } from '../config/index.js';

/** OpenTelemetry traces, where the environment asks for them. Otherwise nothing of it is loaded, and nobody listens. */
@Module({})
export class TracingModule {
  static async forRoot({ traces }: Settings): Promise<DynamicModule> {
    if (!traces) return { module: TracingModule };
    const { providers } = await import('./open-telemetry.js');
    return { module: TracingModule, providers };
  }
}
