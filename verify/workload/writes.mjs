// @ts-check
import { partsOf } from './rows.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../checker/history.mjs').Key} Key */
/** @typedef {import('../checker/history.mjs').Policy} Policy */
/** @typedef {import('./rows.mjs').RowPool} RowPool */
/** @typedef {import('./rows.mjs').Further} Further */

/**
 * One row of a write: `recorded` where it will be committed under another name, `spelled` where its id is sent otherwise.
 * @typedef {{ key: Key, name: string, category: string, recorded?: string, spelled?: string | number }} RowDraft
 */

/**
 * A write through `verify/service/writers.ts`, before it is sent.
 * @typedef {{ writer: string, rows: RowDraft[], undone?: RowDraft[], removes?: boolean }} Draft
 */

/** @typedef {{ pool: RowPool, random: Random, name: string }} Drawing `name` is nobody else's */
/** @typedef {{ draw: (drawing: Drawing) => Draft | undefined }} Kind */

/** Rows that are there all the time. */
const lasting = /** @type {const} */ (['accounts', 'boxes', 'parts']);

/** @param {Drawing} drawing @param {Key} key @param {string} [name] @returns {RowDraft} */
const rowOf = ({ pool, random, name: own }, key, name = own) => ({
  key,
  name,
  category: pool.category(partsOf(key).entity, random),
});

/** Up to so many different rows, in the order in which every writer locks them. @param {Drawing} drawing @param {readonly Further[]} of @param {number} most @returns {RowDraft[]} */
function several(drawing, of, most) {
  const { pool, random } = drawing;
  const keys = Array.from({ length: 1 + random.integer(most) }, () => pool.existing(random.pick(of), random));
  return [...new Set(keys)].sort().map((key) => rowOf(drawing, key));
}

/** For a statement that sets all its rows to the same. @param {Drawing} drawing @returns {RowDraft[]} */
function alike(drawing) {
  const rows = several(drawing, [drawing.random.pick(lasting)], 3);
  const [{ category } = { category: '' }] = rows;
  return rows.map((row) => ({ ...row, category }));
}

/** @param {Drawing} drawing @returns {Draft} */
const undoing = (drawing) => ({
  writer: '',
  rows: several(drawing, ['documents', ...lasting], 2),
  undone: several({ ...drawing, name: `${drawing.name} undone` }, lasting, 2),
});

/** Takes a document away for good. @param {string} writer @param {Drawing} drawing @returns {Draft | undefined} */
function removing(writer, { pool, random }) {
  const key = pool.removable(random);
  return key === undefined ? undefined : { writer, rows: [{ key, name: 'gone', category: '' }], removes: true };
}

/** Every way to write besides `PUT /items/:id`. @satisfies {Record<string, Kind>} */
const all = {
  save: { draw: (drawing) => ({ writer: 'save', rows: several(drawing, ['documents', ...lasting], 2) }) },
  create: {
    draw: (drawing) =>
      drawing.pool.mayCreate
        ? { writer: 'save', rows: [rowOf(drawing, drawing.pool.newDocument(drawing.random))] }
        : undefined,
  },
  remove: { draw: (drawing) => removing('remove', drawing) },
  'delete-by-criteria': { draw: (drawing) => removing('delete-by-criteria', drawing) },
  'update-by-criteria': { draw: (drawing) => ({ writer: 'update-by-criteria', rows: alike(drawing) }) },
  'update-alone': { draw: (drawing) => ({ writer: 'update-alone', rows: alike(drawing) }) },
  'query-builder': { draw: (drawing) => ({ writer: 'query-builder', rows: alike(drawing) }) },
  upsert: {
    draw: (drawing) => ({
      writer: 'upsert',
      rows: several(drawing, [drawing.random.pick(['documents', 'accounts'])], 2),
    }),
  },
  /** The same row by another spelling of its key. */
  spelled: {
    draw(drawing) {
      const { pool, random } = drawing;
      const row = rowOf(drawing, pool.existing(random.pick(['documents', 'accounts']), random));
      const { id } = partsOf(row.key);
      const spelled = Number.isSafeInteger(Number(id)) ? Number(id) : id.toUpperCase();
      return { writer: 'upsert', rows: [{ ...row, spelled }] };
    },
  },
  'or-ignore': { draw: (drawing) => ({ writer: 'or-ignore', rows: [], undone: several(drawing, ['accounts'], 2) }) },
  cascade: {
    draw(drawing) {
      const { pool, random } = drawing;
      const box = rowOf(drawing, pool.existing('boxes', random));
      const { id } = partsOf(box.key);
      return {
        writer: 'cascade',
        rows: [box, ...several(drawing, ['parts'], 3).map((part) => ({ ...part, category: id }))],
      };
    },
  },
  raw: { draw: (drawing) => ({ writer: 'raw', rows: several(drawing, lasting, 2) }) },
  'raw-alone': { draw: (drawing) => ({ writer: 'raw-alone', rows: several(drawing, lasting, 1) }) },
  'raw-begun': { draw: (drawing) => ({ writer: 'raw-begun', rows: several(drawing, lasting, 2) }) },
  savepoint: { draw: (drawing) => ({ ...undoing(drawing), writer: 'savepoint' }) },
  'savepoint-by-hand': { draw: (drawing) => ({ ...undoing(drawing), writer: 'savepoint-by-hand' }) },
  serializable: { draw: (drawing) => ({ writer: 'serializable', rows: several(drawing, ['accounts', 'boxes'], 2) }) },
  /** A deferred trigger changes the row once more, at COMMIT. */
  deferred: {
    draw(drawing) {
      const row = rowOf(drawing, drawing.pool.existing('accounts', drawing.random), `${drawing.name} deferred`);
      return { writer: 'save', rows: [{ ...row, recorded: `${row.name}!` }] };
    },
  },
};

/** @typedef {keyof typeof all} WriteKind */

/** @type {Record<WriteKind, Kind>} */
export const writeKinds = all;
export const writeKindNames = /** @type {WriteKind[]} */ (Object.keys(all));

/** What is sent. @param {Draft} draft */
export const bodyOf = ({ rows, undone = [] }) => ({ rows: rows.map(sent), undone: undone.map(sent) });

/** @param {RowDraft} row */
function sent({ key, name, category, spelled }) {
  const { entity, id } = partsOf(key);
  return { entity, id: spelled ?? (entity === 'boxes' || entity === 'parts' ? Number(id) : id), name, category };
}

/** How the history calls the category of a row. @param {RowDraft} row */
export const categoryOf = ({ key, category }) => `${partsOf(key).entity}/${category}`;
