import { type DataSource, type EntityManager, In } from 'typeorm';
import { inTransaction } from '../../src/database/index.js';
import { Box, type Kind, kindOf } from './entities.js';

/** One row as it is to be; `id` may be spelled in another way than the database spells it. */
export interface RowChange {
  readonly entity: string;
  readonly id: string | number;
  readonly name: string;
  readonly category: string;
}

export interface Change {
  /** What is to be committed. */
  readonly rows: readonly RowChange[];
  /** What is to be undone, or refused, before the transaction ends. */
  readonly undone: readonly RowChange[];
}

/** One way to write. Each row of one entity gets the same name and category where a statement cannot tell them apart. */
export type Writer = (dataSource: DataSource, change: Change) => Promise<void>;

const undo = new Error('undone on purpose');
const attempts = 10;
const lostRace = new Set(['40001', '40P01']);

const kind = ({ entity }: RowChange): Kind => {
  const found = kindOf(entity);
  if (!found) throw new Error(`no such entity: ${entity}`);
  return found;
};
const fields = (row: RowChange) => ({ name: row.name, ...kind(row).fieldsOf(row.category) });
const entityOf = (row: RowChange) => ({ id: row.id, ...fields(row) });

/** All rows of a statement: of one entity. */
function together(rows: readonly RowChange[]) {
  const [first] = rows;
  if (!first) throw new Error('nothing to write');
  return { target: kind(first).target, ids: rows.map(({ id }) => id), set: fields(first), rows: rows.map(entityOf) };
}

async function saveAll(manager: EntityManager, rows: readonly RowChange[]): Promise<void> {
  for (const row of rows) await manager.save(kind(row).target, entityOf(row));
}

async function setByIds(manager: EntityManager, changes: readonly RowChange[]): Promise<void> {
  const { target, ids, set } = together(changes);
  await manager.createQueryBuilder().update(target).set(set).where('id IN (:...ids)', { ids }).execute();
}

async function sql(manager: EntityManager, row: RowChange): Promise<void> {
  const { entity, column } = kind(row);
  const text = `UPDATE ${entity} SET name = $2, ${column} = $3 WHERE id = $1`;
  await manager.query(text, [row.id, row.name, row.category]);
}

/** Runs work in a savepoint of TypeORM's, and takes it back. */
async function undoing(manager: EntityManager, work: (inner: EntityManager) => Promise<void>): Promise<void> {
  const inner = manager.transaction(async (nested) => {
    await work(nested);
    throw undo;
  });
  await inner.catch((error: unknown) => {
    if (error !== undo) throw error;
  });
}

/** Every way to write that TypeORM has, by name. */
export const writers: Readonly<Record<string, Writer>> = {
  save: (dataSource, { rows }) => inTransaction(dataSource, (manager) => saveAll(manager, rows)),

  remove: (dataSource, { rows }) =>
    inTransaction(dataSource, async (manager) => {
      for (const row of rows) await manager.remove(await manager.findOneByOrFail(kind(row).target, { id: row.id }));
    }),

  'delete-by-criteria': (dataSource, { rows }) =>
    inTransaction(dataSource, async (manager) => {
      const { target, ids } = together(rows);
      await manager.delete(target, { id: In(ids) });
    }),

  'update-by-criteria': (dataSource, { rows }) =>
    inTransaction(dataSource, async (manager) => {
      const { target, ids, set } = together(rows);
      await manager.update(target, { id: In(ids) }, set);
    }),

  /** A statement that commits by itself. */
  'update-alone': async (dataSource, { rows }) => {
    const { target, ids, set } = together(rows);
    await dataSource.getRepository(target).update({ id: In(ids) }, set);
  },

  'query-builder': (dataSource, { rows }) => inTransaction(dataSource, (manager) => setByIds(manager, rows)),

  upsert: (dataSource, { rows }) =>
    inTransaction(dataSource, async (manager) => {
      const { target, rows: values } = together(rows);
      await manager.upsert(target, values, ['id']);
    }),

  /** Inserts what is there already. */
  'or-ignore': (dataSource, { undone }) =>
    inTransaction(dataSource, async (manager) => {
      const { target, rows } = together(undone);
      await manager.createQueryBuilder().insert().into(target).values(rows).orIgnore().execute();
    }),

  /** A parent is saved, and its children with it: with what is to change of them alone, since nothing is locked yet. */
  cascade: (dataSource, { rows: [box, ...children] }) =>
    inTransaction(dataSource, async (manager) => {
      if (!box) throw new Error('nothing to write');
      const changed = children.map(({ id, name }) => ({ id: Number(id), name }));
      await manager.save(Box, { ...entityOf(box), id: Number(box.id), parts: changed });
    }),

  /** SQL that TypeORM does not look into: the service does. */
  raw: (dataSource, { rows }) =>
    inTransaction(dataSource, async (manager) => {
      for (const row of rows) await sql(manager, row);
    }),

  'raw-alone': async ({ manager }, { rows }) => {
    for (const row of rows) await sql(manager, row);
  },

  'raw-begun': async (dataSource, { rows }) => {
    const runner = dataSource.createQueryRunner();
    try {
      await runner.query('BEGIN');
      for (const row of rows) await sql(runner.manager, row);
      await runner.query('COMMIT');
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  },

  savepoint: (dataSource, { rows, undone }) =>
    inTransaction(dataSource, async (manager) => {
      const [first, ...others] = rows;
      if (first) await saveAll(manager, [first]);
      await undoing(manager, (inner) => saveAll(inner, undone));
      await manager.transaction((inner) => saveAll(inner, others));
    }),

  /** A savepoint that TypeORM knows nothing of. */
  'savepoint-by-hand': (dataSource, { rows, undone }) =>
    inTransaction(dataSource, async (manager) => {
      await saveAll(manager, rows);
      await manager.query('SAVEPOINT by_hand');
      await saveAll(manager, undone);
      await manager.query('ROLLBACK TO SAVEPOINT by_hand');
    }),

  /** Read, then written, again until nobody was in between. */
  serializable: async (dataSource, { rows }) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await dataSource.transaction('SERIALIZABLE', (manager) => saveAll(manager, rows));
      } catch (error) {
        const { code = '' } = error as { code?: string };
        if (attempt === attempts || !lostRace.has(code)) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** attempt));
      }
    }
  },
};
