import { type EntityRule, listTags, type RowId, rowTags, type Tag } from '../../cache/index.js';
import { maxNamedRows } from '../subscriber/frame.js';

/** The tags of what one transaction has changed, as the feed tells it: row by row, until they are too many to name. */
export class ChangedTags {
  readonly #rows = new Map<EntityRule<object>, Map<string, Set<Tag>>>();
  readonly #unknown = new Set<EntityRule<object>>();

  /** @param spell a key as tags spell it */
  constructor(private readonly spell: (entity: string, id: RowId) => string) {}

  /** @param images the row before and after, as far as there is one */
  row(rule: EntityRule<object>, images: readonly object[]): void {
    if (this.#unknown.has(rule)) return;
    let rows = this.#rows.get(rule);
    if (!rows) this.#rows.set(rule, (rows = new Map<string, Set<Tag>>()));
    for (const image of images) {
      const id = this.spell(rule.entity, rule.idOf(image));
      const tags = rows.get(id) ?? new Set<Tag>();
      for (const tag of listTags(rule, image)) tags.add(tag);
      rows.set(id, tags);
    }
    if (rows.size > maxNamedRows) this.unknown(rule);
  }

  /** Rows have changed that are not named, or whose earlier lists are not known. */
  unknown(rule: EntityRule<object>): void {
    this.#unknown.add(rule);
    this.#rows.delete(rule);
  }

  /** By entity. */
  all(): ReadonlyMap<string, readonly Tag[]> {
    const coarse = [...this.#unknown].map(({ entity }) => [entity, [rowTags(entity, '').coarse]] as const);
    const named = [...this.#rows].map(([{ entity }, rows]) => {
      const tags = new Set([...rows].flatMap(([id, lists]) => [rowTags(entity, id).tag, ...lists]));
      return [entity, [...tags]] as const;
    });
    return new Map([...named, ...coarse]);
  }
}
