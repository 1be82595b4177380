import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Downward } from './messages.js';
import { hear, tell, workerName } from './worker.js';

/** The processes of this service on this machine, this one included. A port that one of them serves is every other one's. */
@Injectable()
export class Siblings implements OnApplicationShutdown {
  readonly #waiting = new Map<number, (texts: readonly string[]) => void>();
  readonly #says = new Map<string, () => Promise<string>>();
  readonly #leave: () => void;
  #asked = 0;

  constructor() {
    this.#leave = workerName() === undefined ? () => undefined : hear((message) => this.#hear(message));
  }

  onApplicationShutdown(): void {
    this.#leave();
  }

  /** @param says what this process has to say on a topic when one of them asks */
  whenAsked(topic: string, says: () => Promise<string>): void {
    this.#says.set(topic, says);
  }

  /** What each of them has to say, of those that answer. */
  async all(topic: string): Promise<readonly string[]> {
    const says = this.#says.get(topic);
    if (workerName() === undefined) return says ? [await says()] : [];
    const id = (this.#asked += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      tell({ type: 'ask', id, topic });
    });
  }

  #hear(message: Downward): void {
    if (message.type === 'say') {
      const { id, topic } = message;
      // Whoever asks goes on without an answer that does not come.
      this.#says
        .get(topic)?.()
        .then(
          (text) => tell({ type: 'said', id, text }),
          () => undefined,
        );
    }
    if (message.type !== 'answers') return;
    this.#waiting.get(message.id)?.(message.texts);
    this.#waiting.delete(message.id);
  }
}
