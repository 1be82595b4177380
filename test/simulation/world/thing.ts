import { type MemoryPostgres, type Row } from '../memory-postgres.js';
import { type Session, type Wait } from './session.js';

/** The one entity. */
export class Thing implements Row {
  id!: number;
  category!: string;
  rev!: number;
}

export const metadata = { target: Thing, primaryColumns: [{ propertyName: 'id' }] };

const thing = (row: Row): Thing => Object.assign(new Thing(), row);

interface Condition {
  readonly where: { readonly id: number | { readonly value: readonly number[] } };
  readonly lock?: object;
}

/** What the product uses of a repository, inside a transaction. */
export function repositoryOf(session: Session, postgres: MemoryPostgres): object {
  return {
    findOne: ({ where, lock }: Condition) => findOne(session, postgres, where.id as number, lock !== undefined),
    find: ({ where }: Condition) => find(session, postgres, (where.id as { value: readonly number[] }).value),
    createQueryBuilder: () => replacedRows(session),
  };
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

function find(session: Session, postgres: MemoryPostgres, ids: readonly number[]): Promise<Thing[]> {
  const own = session.transaction!;
  const read = () =>
    postgres
      .rows(own)
      .filter(({ id }) => ids.includes(id))
      .map(thing);
  const held = ids.every((id) => own.locked.has(id));
  return session.run(`SELECT ${ids.join()}`, read, [], held);
}

/** The product asks one thing of a query builder: whether an inserted row replaced another, by `xmax`. */
function replacedRows(session: Session): object {
  let asked: readonly number[] = [];
  const builder = {
    where: (_: string, { ids }: { ids: readonly number[] }) => {
      asked = ids;
      return builder;
    },
    andWhere: () => builder,
    getExists: () => {
      const own = session.transaction!;
      return session.run('SELECT EXISTS', () => asked.some((id) => own.touchedInserts.has(id)), [], true);
    },
  };
  return builder;
}
