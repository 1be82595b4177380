/** The queue cannot be asked now: no Redis is configured, or it does not answer in time. */
export class WarmingUnavailableError extends Error {
  readonly code = 'WARMING_UNAVAILABLE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WarmingUnavailableError';
  }
}

/** This node shuts down: the job goes back to the queue, to be continued by another node or by the next start. */
export class JobReleasedError extends Error {
  readonly code = 'WARMING_JOB_RELEASED';

  constructor() {
    super('the node shuts down; the job goes on elsewhere');
    this.name = 'JobReleasedError';
  }
}

/** Another node has taken the job, because this one was silent for too long. */
export class JobLostError extends Error {
  readonly code = 'WARMING_JOB_LOST';

  constructor() {
    super('another node has taken the job');
    this.name = 'JobLostError';
  }
}
