/** The work of a flight. It calls `closeToJoiners` right before its first command: later callers may not join. */
export type Work<T> = (closeToJoiners: () => void) => Promise<T>;

interface Flight<T> {
  joinable: boolean;
  readonly result: Promise<T>;
  successor?: Flight<T>;
}

/**
 * At most one load per key at a time. Callers may join a flight until it sends its first command; joining later could give a
 * caller an answer that is older than a write which the caller has seen acknowledged. All later callers share one successor,
 * which starts when the flight has ended: a hot key waits for at most two loads.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  constructor(private readonly onJoin: () => void = () => undefined) {}

  run(key: string, load: Work<T>): { readonly result: Promise<T>; readonly joined: boolean } {
    const current = this.#flights.get(key);
    if (!current) return { result: this.#take(key, undefined, load).result, joined: false };
    if (current.joinable) return this.#join(current);
    if (current.successor) return this.#join(current.successor);
    current.successor = this.#take(key, current, load);
    return { result: current.successor.result, joined: false };
  }

  #join(flight: Flight<T>): { readonly result: Promise<T>; readonly joined: boolean } {
    this.onJoin();
    return { result: flight.result, joined: true };
  }

  #take(key: string, predecessor: Flight<T> | undefined, load: Work<T>): Flight<T> {
    const start = async (): Promise<T> => {
      await predecessor?.result.then(ignore, ignore);
      this.#flights.set(key, flight);
      try {
        return await load(() => (flight.joinable = false));
      } finally {
        if (flight.successor === undefined && this.#flights.get(key) === flight) this.#flights.delete(key);
      }
    };
    const flight: Flight<T> = { joinable: true, result: Promise.resolve().then(start) };
    flight.result.catch(ignore);
    if (!predecessor) this.#flights.set(key, flight);
    return flight;
  }
}

const ignore = (): void => undefined;
