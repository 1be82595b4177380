import { type MemoryPostgres, type Row } from '../memory-postgres.js';
import { type Database, type Session, type Wait } from './session.js';

/** The one entity. */
export class Thing implements Row {
  id!: number;
  category!: string;
  rev!: number;
}

/** As much of TypeORM's metadata as the product looks at. */
export const metadata = {
  target: Thing,
  tableName: 'things',
  inheritanceTree: [Thing],
  primaryColumns: [{ propertyName: 'id', databaseName: 'id' }],
  columns: [],
  relations: [],
  manyToManyRelations: [],
};

const thing = (row: Row): Thing => Object.assign(new Thing(), row);

/** What the product asks of a query builder, inside a transaction. */
export function repositoryOf(session: Session, { postgres, generation }: Database): object {
  return { createQueryBuilder: () => new ThingQuery(session, postgres, () => String(generation.number)) };
}

interface Parameters {
  readonly ids: readonly (string | number)[];
}

class ThingQuery {
  #forUpdate = false;
  #ids: readonly number[] = [];

  constructor(
    private readonly session: Session,
    private readonly postgres: MemoryPostgres,
    private readonly generationNumber: () => string,
  ) {}

  where(_: string, { ids }: Parameters): this {
    this.#ids = ids.map(Number);
    return this;
  }

  setLock(): this {
    this.#forUpdate = true;
    return this;
  }

  addSelect(): this {
    return this;
  }

  getOne(): Promise<Thing | null> {
    return findOne(this.session, this.postgres, this.#ids[0]!, this.#forUpdate);
  }

  /** Rows next to the transaction's own id and snapshot, and whether each has replaced another and is its own version. */
  getRawAndEntities(): Promise<{ entities: Thing[]; raw: object[] }> {
    const { session, postgres } = this;
    const own = session.transaction!;
    const ids = this.#ids;
    const read = () => {
      const snapshot = postgres.snapshot(own);
      const [xmin] = snapshot.split(':');
      const entities = postgres
        .rows(own)
        .filter(({ id }) => ids.includes(id))
        .map(thing);
      const raw = entities.map(({ id }) => {
        const xmax = own.touchedInserts.has(id) ? '1' : '0';
        const xid = String(postgres.xid(own));
        const isOwn = own.layers.some((layer) => layer.has(id));
        return { xid, xmin, xmax, snapshot, own: isOwn, number: this.generationNumber(), deferred: false };
      });
      return { entities, raw };
    };
    return session.run(`SELECT ${ids.join()} with transaction ids`, read);
  }
}

export async function findOne(
  session: Session,
  postgres: MemoryPostgres,
  id: number,
  forUpdate: boolean,
): Promise<Thing | null> {
  const own = session.transaction!;
  const exists = () => postgres.row(id, own) !== undefined;
  const lock: Wait = (granted) => !exists() || postgres.lock(own, id, granted);
  const read = () => {
    if (forUpdate && own.layers.some((layer) => layer.has(id))) own.touchedInserts.add(id);
    const row = postgres.row(id, own);
    return row ? thing(row) : null;
  };
  const label = `SELECT ${id}${forUpdate ? ' FOR UPDATE' : ''}`;
  return session.run(label, read, forUpdate ? [lock] : [], own.locked.has(id));
}
