import { type EntityRule, type RowId, rowTags, type Tag } from '../../cache/index.js';

/** As tags spell it. */
type Id = string;
type Named = Pick<EntityRule<object>, 'entity'>;

/** What is known of one entity's changed rows. */
export interface EntityChanges {
  readonly rule: EntityRule<object>;
  readonly ids: Set<Id>;
  /** Rows that may have replaced one that nobody looked at: upserts. */
  readonly inserted: Set<Id>;
  /** Lists that contained a changed row before. */
  readonly oldListTags: Set<Tag>;
  /** Rows have changed that nobody named: bulk statements, or more rows than are worth naming. */
  unknown: boolean;
  /** Rows that statements have added, less those that events have named: anything but 0 at the end means unnamed rows. */
  unnamed: number;
}

/** Beyond so many rows of one entity, a transaction's changes are fenced as a whole. */
export const maxNamedRows = 500;

/**
 * What one transaction, or one savepoint inside it, has changed. A released savepoint's changes become its parent's, a
 * rolled-back one's are forgotten; only the outermost commit makes anything true.
 */
export class Frame {
  readonly #entities = new Map<string, EntityChanges>();
  /** The lists of the committed images of rows that are locked now, by the rows' tags. */
  readonly #locked = new Map<Tag, readonly Tag[]>();
  /** Rows whose lock is certainly still held, by their tags. */
  readonly #held = new Set<Tag>();

  get changes(): readonly EntityChanges[] {
    return [...this.#entities.values()].map((one) => ({ ...one, unknown: one.unknown || one.unnamed !== 0 }));
  }

  /** A row that was there. @param before the lists of its committed image, taken under its lock; none if they are known */
  change(rule: EntityRule<object>, id: Id, before: readonly Tag[]): void {
    const changes = this.#name(rule, id);
    for (const tag of before) changes.oldListTags.add(tag);
  }

  /** A row that a statement has added. @param upserted it may have replaced one that nobody looked at */
  insert(rule: EntityRule<object>, id: Id, upserted: boolean): void {
    const changes = this.#name(rule, id);
    if (upserted) changes.inserted.add(id);
    changes.unnamed -= 1;
  }

  /** A statement adds so many rows; an event is to name each. */
  expect(rule: EntityRule<object>, rows: number): void {
    this.#of(rule).unnamed += rows;
  }

  changeUnknown(rule: EntityRule<object>): void {
    this.#of(rule).unknown = true;
  }

  /** Whether a row's committed image is known already. */
  has(rule: EntityRule<object>, id: Id): boolean {
    return this.#held.has(rowTags(rule.entity, id).tag);
  }

  /** Locks may have ended with a savepoint that nobody told of. What was changed stays noted: to fence too much is safe. */
  forgetLocks(): void {
    this.#locked.clear();
    this.#held.clear();
  }

  /** A row that has been locked in this frame. @param lists of its committed image */
  noteLocked({ entity }: Named, id: RowId, lists: readonly Tag[]): void {
    this.#locked.set(rowTags(entity, id).tag, lists);
  }

  /** The lists of its committed image; undefined where nothing has been noted. */
  locked({ entity }: Named, id: RowId): readonly Tag[] | undefined {
    return this.#locked.get(rowTags(entity, id).tag);
  }

  isUnknown(rule: EntityRule<object>): boolean {
    return this.#entities.get(rule.entity)?.unknown ?? false;
  }

  absorb(child: Frame): void {
    for (const [tag, lists] of child.#locked) this.#locked.set(tag, lists);
    for (const tag of child.#held) this.#held.add(tag);
    for (const { rule, ids, inserted, oldListTags, unknown, unnamed } of child.#entities.values()) {
      const changes = this.#of(rule);
      for (const id of ids) changes.ids.add(id);
      for (const id of inserted) changes.inserted.add(id);
      for (const tag of oldListTags) changes.oldListTags.add(tag);
      changes.unnamed += unnamed;
      changes.unknown ||= unknown || changes.ids.size > maxNamedRows;
    }
  }

  #name(rule: EntityRule<object>, id: Id): EntityChanges {
    const changes = this.#of(rule);
    changes.ids.add(id);
    this.#held.add(rowTags(rule.entity, id).tag);
    if (changes.ids.size > maxNamedRows) changes.unknown = true;
    return changes;
  }

  #of(rule: EntityRule<object>): EntityChanges {
    let changes = this.#entities.get(rule.entity);
    if (!changes) {
      changes = { rule, ids: new Set(), inserted: new Set(), oldListTags: new Set(), unknown: false, unnamed: 0 };
      this.#entities.set(rule.entity, changes);
    }
    return changes;
  }
}
