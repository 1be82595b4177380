// @ts-check
import { categories, keyOf } from './choices.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../checker/history.mjs').Key} Key */

/** What to ask a node for, and what the answer will be about. @typedef {{ path: string, key?: Key, category?: string, sort?: 'id' | 'name' | '-name' }} Ask */

/** How an entity besides items is spelled: its ids at the start, and the categories of its rows. */
const further = {
  documents: { ids: /** @type {string[]} */ ([]), categories: ['red', 'blue'] },
  // Some are no numbers of JavaScript.
  accounts: { ids: ['101', '102', '103', '9007199254740993', '9007199254740995'], categories: ['north', 'south'] },
  boxes: { ids: ['1', '2', '3'], categories: ['left', 'right'] },
  // The category of a part is its box.
  parts: { ids: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], categories: ['1', '2', '3'] },
};

/** @typedef {keyof typeof further} Further */

export const furtherEntities = /** @type {Further[]} */ (Object.keys(further));

/** The rows that are there from the start. @returns {{ entity: Further, id: string, name: string, category: string }[]} */
export const furtherSeeds = () =>
  furtherEntities.flatMap((entity) =>
    further[entity].ids.map((id, i) => ({ entity, id, name: `seed ${id}`, category: categoryAt(entity, i) })),
  );

/** @param {Further} entity @param {number} i */
function categoryAt(entity, i) {
  const { categories: all } = further[entity];
  return /** @type {string} */ (all[i % all.length]);
}

/** @param {Key} key of a row that is no item @returns {{ entity: Further, id: string }} */
export function partsOf(key) {
  const [entity = '', id = ''] = String(key).split(':');
  return { entity: /** @type {Further} */ (entity), id };
}

/** @param {Key} key */
export const pathOf = (key) =>
  typeof key === 'number' ? `/items/${key}` : `/verify/${partsOf(key).entity}/${partsOf(key).id}`;

/** Every list that a row of some category is in, and one of the same entity that it may have left. @returns {Ask[]} */
export const allLists = () => [
  ...categories.map((category) => ({ path: `/items?category=${category}&limit=100`, category })),
  ...furtherEntities.flatMap((entity) => further[entity].categories.map((category) => listOf(entity, category))),
  ...furtherEntities.map((entity) => listOf(entity)),
];

/** @param {Further} entity @param {string} [category] @returns {Ask} */
const listOf = (entity, category) => ({
  path: `/verify/${entity}${category === undefined ? '' : `?category=${category}`}`,
  category: `${entity}/${category ?? ''}`,
});

const keptGone = 6;
const mostDocuments = 8;

/**
 * The rows that a run is about. Items and most others are there all the time; documents come and go, each key once: one
 * that somebody is still writing, or whose writer was not answered, is not removed.
 */
export class RowPool {
  /** @type {Map<Key, { busy: number, uncertain: boolean }>} */
  #documents = new Map();
  /** @type {Key[]} */
  #gone = [];

  /** @param {readonly number[]} items @param {boolean} [withFurther] */
  constructor(items, withFurther = false) {
    this.items = items;
    this.withFurther = withFurther;
  }

  /** @param {Random} random @returns {Ask} */
  row(random) {
    const key = this.#anyKey(random);
    return { path: pathOf(key), key };
  }

  /** @param {Random} random @returns {Ask} */
  list(random) {
    if (!this.withFurther || random.chance(0.5)) {
      const category = random.pick(categories);
      const sort = this.withFurther ? random.pick(/** @type {const} */ (['id', 'name', '-name'])) : 'id';
      return { path: `/items?category=${category}&limit=100${sort === 'id' ? '' : `&sort=${sort}`}`, category, sort };
    }
    if (random.chance(0.3)) return this.contents(random.pick(further.boxes.ids));
    const entity = random.pick(furtherEntities);
    return listOf(entity, random.chance(0.3) ? undefined : random.pick(further[entity].categories));
  }

  /** A box and its parts. @param {string} id @returns {Ask} */
  contents(id) {
    return { path: `/verify/boxes/${id}/contents`, key: `boxes:${id}`, category: `parts/${id}` };
  }

  /** Where a row may be seen: mostly itself. @param {Key} key @param {string} category @param {Random} random @returns {Ask} */
  around(key, category, random) {
    if (!random.chance(0.2)) return { path: pathOf(key), key };
    if (typeof key === 'number') return { path: `/items?category=${category}&limit=100`, category };
    const { entity } = partsOf(key);
    return listOf(entity, category.slice(entity.length + 1));
  }

  /** @param {Further} entity @param {Random} random @returns {Key} */
  existing(entity, random) {
    if (entity === 'documents') return random.pick([...this.#documents.keys(), ...this.#new(random)]);
    return `${entity}:${random.pick(further[entity].ids)}`;
  }

  /** @param {Further} entity @param {Random} random */
  category(entity, random) {
    return random.pick(further[entity].categories);
  }

  /** A document that is not there yet. @param {Random} random @returns {Key} */
  newDocument(random) {
    const hex = () => Math.floor(random.next() * 16).toString(16);
    return `documents:${'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, hex)}`;
  }

  get mayCreate() {
    return this.#documents.size < mostDocuments;
  }

  /** One that nobody else writes, now or later. @param {Random} random @returns {Key | undefined} */
  removable(random) {
    const free = [...this.#documents].filter(([, { busy, uncertain }]) => busy === 0 && !uncertain);
    if (free.length === 0) return undefined;
    const [key] = random.pick(free);
    this.#documents.delete(key);
    this.#gone = [...this.#gone, key].slice(-keptGone);
    return key;
  }

  /** @param {readonly Key[]} keys */
  begin(keys) {
    for (const key of keys) {
      if (!String(key).startsWith('documents:') || this.#gone.includes(key)) continue;
      const state = this.#documents.get(key) ?? { busy: 0, uncertain: false };
      this.#documents.set(key, state);
      state.busy += 1;
    }
  }

  /** @param {readonly Key[]} keys @param {boolean} certain whether what became of it is known */
  end(keys, certain) {
    for (const key of keys) {
      const state = this.#documents.get(key);
      if (!state) continue;
      state.busy -= 1;
      state.uncertain ||= !certain;
    }
  }

  /** @param {Random} random @returns {Key} */
  #anyKey(random) {
    if (!this.withFurther || random.chance(0.5)) return keyOf(this.items, random);
    const entity = random.pick(furtherEntities);
    if (entity !== 'documents') return this.existing(entity, random);
    return random.pick([...this.#documents.keys(), ...this.#gone, ...this.#new(random)]);
  }

  /** @param {Random} random */
  #new(random) {
    return this.#documents.size === 0 ? [this.newDocument(random)] : [];
  }
}
