import { type Tag } from '../../core/tags.js';

/** Something that an invalidation of one of its tags makes void: an entry, or the placeholder of a fill under way. */
export interface Holder {
  readonly tags: Set<Tag>;
  void(): void;
}

/** Who depends on which tag, in this process. */
export class TagIndex {
  readonly #holders = new Map<Tag, Set<Holder>>();

  add(holder: Holder, tags: Iterable<Tag>): void {
    for (const tag of tags) {
      holder.tags.add(tag);
      let holders = this.#holders.get(tag);
      if (!holders) this.#holders.set(tag, (holders = new Set()));
      holders.add(holder);
    }
  }

  remove(holder: Holder): void {
    for (const tag of holder.tags) {
      const holders = this.#holders.get(tag);
      holders?.delete(holder);
      if (holders?.size === 0) this.#holders.delete(tag);
    }
    holder.tags.clear();
  }

  voidAll(tag: Tag): void {
    for (const holder of [...(this.#holders.get(tag) ?? [])]) {
      this.remove(holder);
      holder.void();
    }
  }

  holdersOf(tag: Tag): Iterable<Holder> {
    return this.#holders.get(tag) ?? [];
  }

  get tags(): IterableIterator<Tag> {
    return this.#holders.keys();
  }
}
