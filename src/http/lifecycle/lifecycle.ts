import { Injectable } from '@nestjs/common';

export type LifecycleState = 'starting' | 'warming' | 'ready' | 'draining';

/** Where this process is between boot and exit. Readiness reports it; long-lived answers end when it drains. */
@Injectable()
export class Lifecycle {
  private current: LifecycleState = 'starting';
  private readonly drainController = new AbortController();

  get state(): LifecycleState {
    return this.current;
  }

  /** Aborted when draining begins, for streams that would otherwise never end. */
  get draining(): AbortSignal {
    return this.drainController.signal;
  }

  /** There is no way back from draining. */
  become(state: Exclude<LifecycleState, 'draining'>): void {
    if (this.current !== 'draining') this.current = state;
  }

  drain(): void {
    this.current = 'draining';
    this.drainController.abort();
  }
}
