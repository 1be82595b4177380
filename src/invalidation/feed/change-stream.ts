import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import { ChangedTags } from './changed-tags.js';
import { type FeedTables } from './feed-tables.js';
import { before, type Lsn } from './lsn.js';

/** What the name of our own messages in the log begins with. */
export const messagePrefix = 'strata';

/** How long PostgreSQL keeps the slot for a node that has fallen silent, in ms. */
const senderTimeoutMs = 5_000;

const connectTimeoutMs = 5_000;

/** One committed transaction, as far as cached entities are concerned. */
export interface CommittedTransaction {
  /** Its low 32 bits. */
  readonly xid: number;
  /** Where it ends: what is to be confirmed once it has been dealt with. */
  readonly endLsn: Lsn;
  readonly changes: ChangedTags;
  /** What we wrote into the log ourselves. */
  readonly messages: readonly string[];
}

export interface StreamOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  readonly publication: string;
  /** Up to where everything has been dealt with already. */
  readonly confirmed: Lsn;
}

/**
 * Committed changes in the order of their commits, by logical replication. Whoever reads it holds the slot: one node at a
 * time. What is not confirmed comes again.
 * @see https://www.postgresql.org/docs/current/protocol-logical-replication.html
 */
export class ChangeStream {
  readonly #service: LogicalReplicationService;
  /** Settled once the connection stands, or never will. */
  #opened: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #confirmed: Lsn;
  #transaction: Omit<CommittedTransaction, 'endLsn'> & { readonly messages: string[] };

  constructor(
    private readonly options: StreamOptions,
    private readonly tables: FeedTables,
  ) {
    const { databaseUrl, confirmed } = options;
    this.#confirmed = confirmed;
    this.#transaction = this.#nothing(0);
    this.#service = new LogicalReplicationService(
      {
        connectionString: databaseUrl,
        application_name: 'strata feed',
        keepAlive: true,
        connectionTimeoutMillis: connectTimeoutMs,
        options: `-c wal_sender_timeout=${senderTimeoutMs}`,
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: true } },
    );
  }

  /**
   * Reads until {@link close}, or until the connection ends.
   * @param deal awaited before anything more is read
   * @throws where the slot is another's (55006), and whatever else ends the stream
   */
  async read(begin: () => void, deal: (transaction: CommittedTransaction) => Promise<void>): Promise<void> {
    const { slot, publication } = this.options;
    let failed: Error | undefined;
    const fail = (error: Error): void => {
      failed ??= error;
      void this.close();
    };
    this.#service.on('start', begin);
    this.#service.on('error', fail);
    this.#service.on('heartbeat', (_lsn, _at, expectsAnswer) => {
      if (expectsAnswer) this.#acknowledge();
    });
    this.#service.on('data', async (_lsn, message: Pgoutput.Message) => {
      try {
        const committed = this.#hear(message);
        if (committed) await deal(committed);
      } catch (error) {
        fail(error as Error);
      }
    });
    const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication], messages: true });
    const started = new Promise<void>((resolve) => this.#service.on('start', () => resolve()));
    const ended = this.#service.subscribe(plugin, slot).catch(fail);
    this.#opened = Promise.race([started, ended]);
    await ended;
    await this.close();
    if (failed) throw failed;
  }

  /** Everything up to here has been dealt with, and need not be kept. */
  confirm(lsn: Lsn): void {
    this.#confirmed = lsn;
    this.#acknowledge();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** A client that is stopped while it connects would stay connected. */
  async #close(): Promise<void> {
    await this.#opened;
    await this.#service.stop().catch(() => undefined);
  }

  /** The library confirms the position *behind* the one it is given; one byte too far, and a commit could be left out. */
  #acknowledge(): void {
    this.#service.acknowledge(before(this.#confirmed)).catch(() => undefined);
  }

  #hear(message: Pgoutput.Message): CommittedTransaction | undefined {
    const { changes, messages } = this.#transaction;
    switch (message.tag) {
      case 'begin':
        this.#transaction = this.#nothing(message.xid);
        return undefined;
      case 'insert':
        return this.#change(message.relation, [message.new]);
      case 'update':
        // Without the whole old row, the lists that it was in are not known.
        return message.old
          ? this.#change(message.relation, [message.old, message.new])
          : this.#changeUnknown(message.relation);
      case 'delete':
        return message.old ? this.#change(message.relation, [message.old]) : this.#changeUnknown(message.relation);
      case 'truncate':
        for (const relation of message.relations) this.#changeUnknown(relation);
        return undefined;
      case 'message':
        if (message.prefix === messagePrefix) messages.push(Buffer.from(message.content).toString());
        return undefined;
      case 'commit':
        return { xid: this.#transaction.xid, endLsn: message.commitEndLsn ?? this.#confirmed, changes, messages };
      case 'origin':
      case 'relation':
      case 'type':
        return undefined;
    }
  }

  #change(relation: Pgoutput.MessageRelation, rows: readonly Record<string, unknown>[]): undefined {
    const { changes } = this.#transaction;
    for (const { rule, read } of this.tables.of(relation)) {
      try {
        if (read) changes.row(rule, rows.map(read));
        else changes.unknown(rule);
      } catch {
        // A row that this build cannot read, from before or after a migration, has changed all the same.
        changes.unknown(rule);
      }
    }
  }

  #changeUnknown(relation: Pgoutput.MessageRelation): undefined {
    for (const { rule } of this.tables.of(relation)) this.#transaction.changes.unknown(rule);
  }

  #nothing(xid: number) {
    return { xid, changes: new ChangedTags(this.tables.spell), messages: [] as string[] };
  }
}
