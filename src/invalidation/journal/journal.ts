import { Injectable } from '@nestjs/common';
import { CacheEvents, entityOf, rowTags, type Tag, type Writer } from '../../cache/index.js';

export interface JournalEntry {
  readonly tags: readonly Tag[];
  /** Undefined for values that no database row stands behind: they are invalidated, there is nobody to fence. */
  readonly writer: Writer | undefined;
}

/** Beyond so many tags, what is kept is "everything of the entity". */
const maxTags = 10_000;

/**
 * Invalidations of committed writes that Redis could not be told of, in this process's memory. It does not survive the
 * process: what a node had not replayed when it died is told by the change feed, or bounded by the TTL without one.
 */
@Injectable()
export class Journal {
  readonly #writers = new Map<string | undefined, { readonly writer: Writer | undefined; readonly tags: Set<Tag> }>();
  #size = 0;

  constructor(private readonly events: CacheEvents) {}

  get size(): number {
    return this.#size;
  }

  add(tags: readonly Tag[], writer: Writer | undefined): void {
    const overflow = this.#size + tags.length > maxTags;
    if (overflow) this.#coarsen(tags, writer);
    else this.#put(tags, writer);
    this.events.emit({ type: 'journal', entries: this.#size });
  }

  /** Everything that is kept; the journal is empty afterwards. */
  take(): readonly JournalEntry[] {
    const entries = [...this.#writers.values()].map(({ writer, tags }) => ({ writer, tags: [...tags] }));
    this.#writers.clear();
    this.#size = 0;
    if (entries.length > 0) this.events.emit({ type: 'journal', entries: 0 });
    return entries;
  }

  #put(tags: Iterable<Tag>, writer: Writer | undefined): void {
    let kept = this.#writers.get(writer?.xid);
    if (!kept) this.#writers.set(writer?.xid, (kept = { writer, tags: new Set() }));
    const before = kept.tags.size;
    for (const tag of tags) kept.tags.add(tag);
    this.#size += kept.tags.size - before;
  }

  /** One coarse tag per entity. The latest writer stands for all: what was kept for the others has long been committed. */
  #coarsen(tags: readonly Tag[], writer: Writer | undefined): void {
    const all = [...this.#writers.values(), { writer, tags }];
    this.#writers.clear();
    this.#size = 0;
    for (const group of [all.filter((kept) => kept.writer), all.filter((kept) => !kept.writer)]) {
      const entities = new Set(group.flatMap((kept) => [...kept.tags].map(entityOf)));
      if (entities.size > 0)
        this.#put(
          [...entities].map((entity) => rowTags(entity, '').coarse),
          group.at(-1)?.writer,
        );
    }
  }
}
