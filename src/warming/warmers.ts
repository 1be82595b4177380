import { Injectable } from '@nestjs/common';
import { type Warmer } from './warmer.js';

/** Which entities can be warmed. Their modules add them while they are initialised. */
@Injectable()
export class Warmers {
  readonly #byEntity = new Map<string, Warmer>();

  add(warmer: Warmer): void {
    if (this.#byEntity.has(warmer.entity)) throw new Error(`two warmers are for ${warmer.entity}`);
    this.#byEntity.set(warmer.entity, warmer);
  }

  entities(): readonly string[] {
    return [...this.#byEntity.keys()];
  }

  named(entity: string): Warmer | undefined {
    return this.#byEntity.get(entity);
  }
}
