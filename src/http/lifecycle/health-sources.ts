import { Injectable } from '@nestjs/common';

/** How a part of the service is: `degraded` still serves, `down` does not. Details are public: no addresses, no messages. */
export interface HealthState {
  readonly status: 'up' | 'degraded' | 'down';
  readonly [detail: string]: string | number | boolean;
}

/** A part of the service that `/health` reports on. A port: modules add theirs, the health module asks. */
export interface HealthSource {
  readonly name: string;
  /** Asked with a deadline; what is late or fails is taken for degraded. */
  state(): HealthState | Promise<HealthState>;
}

@Injectable()
export class HealthSources {
  readonly #all: HealthSource[] = [];

  add(source: HealthSource): void {
    this.#all.push(source);
  }

  all(): readonly HealthSource[] {
    return this.#all;
  }
}
