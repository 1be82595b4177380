import { Injectable } from '@nestjs/common';
import { type EntityRule, RedisTags, rowTags, type Tag } from '../../cache/index.js';
import { Settings } from '../../config/index.js';

export type Stamps = ReadonlyMap<Tag, string>;
export const noStamps: Stamps = new Map();

/** For writers under write-through: the stamps of rows that they have locked. Without them nothing is stored, which is safe. */
@Injectable()
export class StampReader {
  constructor(
    private readonly settings: Settings,
    private readonly tags: RedisTags,
  ) {}

  /** Never throws. */
  async ofRows({ entity }: Pick<EntityRule<object>, 'entity'>, ids: Iterable<string | number>): Promise<Stamps> {
    if (!this.settings.cacheDb || !this.settings.cacheL2) return noStamps;
    const tags = [...ids].flatMap((id) => Object.values(rowTags(entity, id)));
    return tags.length === 0 ? noStamps : this.tags.peek([...new Set(tags)]).catch(() => noStamps);
  }
}
