import { Injectable } from '@nestjs/common';
import { LevelUnavailableError, type RedisClient, RedisTags } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { Acknowledgements } from './acknowledgements.js';

/**
 * The question that keeps the lease. It is answered on the connection that carries the invalidations, behind all earlier
 * ones: by PING, or, where writers wait for this node's acknowledgements, by a script that registers the node and
 * answers on the node's channel.
 */
@Injectable()
export class Heartbeat {
  #asked = 0;
  #answered: (() => void) | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly tags: RedisTags,
    private readonly acknowledgements: Acknowledgements,
  ) {}

  /** Resolves with the answer; false where the question could not be asked. */
  async ask(client: RedisClient): Promise<boolean> {
    if (this.settings.cacheL1Strict !== 'acknowledged') {
      await client.ping();
      return true;
    }
    this.#asked += 1;
    const answer = new Promise<void>((resolve) => (this.#answered = resolve));
    try {
      await this.tags.beat(this.acknowledgements.node, JSON.stringify({ beat: this.#asked }));
    } catch (error) {
      if (error instanceof LevelUnavailableError) return false;
      throw error;
    }
    await answer;
    return true;
  }

  /** An answer came in; one to an earlier question counts for nothing. */
  hear(beat: number): void {
    if (beat === this.#asked) this.#answered?.();
  }
}
