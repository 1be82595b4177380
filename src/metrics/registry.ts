import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * Node's own metrics, once per process: they are about the process, and each set has observers of its own that can never
 * be taken back. Everything else belongs to one application: several may live in one process.
 */
let processMetrics: Registry | undefined;

/** A token, too: the metrics of one application. */
export class AppRegistry extends Registry {
  readonly #labels: Readonly<Record<string, string>>;

  /** @param worker of several processes that serve one port: every number says whose it is */
  constructor(worker?: string) {
    super();
    this.#labels = worker === undefined ? {} : { worker };
    this.setDefaultLabels(this.#labels);
  }

  /** Prometheus text: this application's metrics, then the process's. */
  async print(): Promise<string> {
    if (!processMetrics) {
      collectDefaultMetrics({ register: (processMetrics = new Registry()) });
      processMetrics.setDefaultLabels(this.#labels);
    }
    const texts = await Promise.all([this.metrics(), processMetrics.metrics()]);
    // Of an event loop that had no delay since the last question, prom-client prints no number of the text format.
    return texts.join('').replaceAll(/ Nan$/gm, ' NaN');
  }
}
