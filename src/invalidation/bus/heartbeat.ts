import { Injectable } from '@nestjs/common';
import { LevelUnavailableError, RedisTags } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { Acknowledgements } from './acknowledgements.js';

/**
 * The question that keeps the lease: is the generation that this node serves under still in force? A script asks it, and
 * answers on the node's channel, on the connection that carries the invalidations, behind all earlier ones. A PING would
 * prove the connection only, and keep L1 serving what a flush, or a generation that nobody installs, has ended.
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

  /** Resolves with the answer; false where no generation is known to be in force. */
  async ask(): Promise<boolean> {
    this.#asked += 1;
    const answer = new Promise<void>((resolve) => (this.#answered = resolve));
    const register = this.settings.cacheL1Strict === 'acknowledged';
    try {
      await this.tags.beat(this.acknowledgements.node, JSON.stringify({ beat: this.#asked }), register);
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
