import pg from 'pg';

/** How long a client waits beyond the deadline of a statement before it takes the server for dead, in ms. */
const silenceMarginMs = 1_000;
/** How long until it asks again to cancel a late statement, in ms. */
const cancelAgainMs = 250;

export interface ClientConfig extends pg.ClientConfig {
  /** Deadline of one statement, in ms; 0: none. */
  readonly deadlineMs: number;
  /** For commands of the replication protocol. */
  readonly replication?: 'database';
}

/** How pg speaks the protocol: its types leave out what a cancellation needs. */
interface Wire extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/**
 * A connection to PostgreSQL that needs no startup parameters, which poolers such as PgBouncer refuse. Once it stands, its
 * deadlines are set for the session, so that PostgreSQL itself ends what is late. Behind a pooler the session belongs to
 * other clients as well: nothing is set there, and the client asks PostgreSQL to end a late statement (CancelRequest), which
 * a pooler passes on.
 *
 * It survives the end of its own connection: the pool takes its error listener off a client that has just connected before
 * TypeORM puts its own on, and an administrator's `pg_terminate_backend` in that moment would end the process. The failed
 * query, or the next one, reports the loss all the same.
 */
export class DatabaseClient extends pg.Client {
  readonly #deadlineMs: number;
  /** Whether PostgreSQL ends late statements by itself. */
  #deadlinesSet = false;
  /** Cancels the running statement, where PostgreSQL does not by itself. */
  #cancelRunning: (() => void) | undefined;

  constructor(config: ClientConfig) {
    const { deadlineMs } = config;
    super({ ...config, ...(deadlineMs > 0 && { query_timeout: deadlineMs + silenceMarginMs }) });
    this.#deadlineMs = deadlineMs;
    this.on('error', () => undefined);
  }

  /**
   * Sets the deadlines, if the connection leads to PostgreSQL itself: a pooler gives its clients process ids of its own
   * making, because they share the real ones.
   * @returns whether it does
   */
  async setDeadlines(): Promise<boolean> {
    const { rowCount } = await super.query(
      `SELECT set_config(name, setting, false)
         FROM (VALUES ('statement_timeout', $1), ('idle_in_transaction_session_timeout', $2)) AS deadlines (name, setting)
        WHERE pg_backend_pid() = $3`,
      [String(this.#deadlineMs), String(10 * this.#deadlineMs), this.#key.processID],
    );
    return (this.#deadlinesSet = rowCount !== 0);
  }

  /** One signature for all of pg's: what is given is passed on as it is. */
  override query(...given: never[]): never {
    const answer: unknown = super.query(...(given as unknown as [string]));
    if (!this.#deadlinesSet && this.#deadlineMs > 0 && answer instanceof Promise) {
      // A pooler may not have sent it yet, and then has nothing to cancel: it is asked again until there is an answer.
      const cancel = (): void => {
        clearTimeout(timer);
        this.#cancel();
        timer = setTimeout(cancel, cancelAgainMs);
      };
      let timer = setTimeout(cancel, this.#deadlineMs);
      this.#cancelRunning = cancel;
      const stop = (): void => {
        clearTimeout(timer);
        if (this.#cancelRunning === cancel) this.#cancelRunning = undefined;
      };
      answer.then(stop, stop);
    }
    return answer as never;
  }

  /** Fails the running statement as if it were late, on a connection whose deadlines PostgreSQL does not keep. */
  giveUp(): void {
    this.#cancelRunning?.();
  }

  /** Fails the statement that is running with SQLSTATE 57014, as PostgreSQL's own deadline does; the connection stays. */
  #cancel(): void {
    const { host, port, ssl, sslNegotiation, processID, secretKey } = this.#key;
    const wire = new pg.Connection({ ssl, sslNegotiation } as pg.ConnectionConfig) as Wire;
    const send = (): void => wire.cancel(processID, secretKey);
    if (!ssl) wire.on('connect', send);
    else if (sslNegotiation !== 'direct') wire.on('connect', () => wire.requestSsl());
    wire.on('sslconnect', send);
    // The client's own deadline is still to come.
    wire.on('error', () => undefined);
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`);
    else wire.connect(port, host);
  }

  /** Where the server is, and by what it knows this connection: pg's types leave the latter out. */
  get #key() {
    return this as unknown as Pick<pg.Client, 'host' | 'port' | 'ssl'> & {
      readonly sslNegotiation: string;
      readonly processID: number;
      readonly secretKey: number;
    };
  }
}
