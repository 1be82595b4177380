/** The environment cannot be used. Lists every fault at once, so that one restart is enough to mend them all. */
export class ConfigurationError extends Error {
  readonly code = 'CONFIGURATION_INVALID';

  constructor(readonly faults: readonly string[]) {
    super(`the environment cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}
