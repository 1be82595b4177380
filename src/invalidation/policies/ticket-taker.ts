import { Injectable } from '@nestjs/common';
import {
  type EntityRule,
  EntityRules,
  RedisTags,
  type RowId,
  type RowTicket,
  rowTags,
  type Tag,
} from '../../cache/index.js';
import { Settings } from '../../config/index.js';

export type Tickets = ReadonlyMap<Tag, RowTicket>;
export const noTickets: Tickets = new Map();

/**
 * A writer that stores what it has written is one more reader of it: it takes a ticket, and once it has committed it loads
 * and fills. Without a ticket nothing is stored, which is safe.
 */
@Injectable()
export class TicketTaker {
  constructor(
    private readonly settings: Settings,
    private readonly tags: RedisTags,
    private readonly rules: EntityRules,
  ) {}

  /** Never throws. */
  async ofRows({ entity }: Pick<EntityRule<object>, 'entity'>, ids: Iterable<RowId>): Promise<Tickets> {
    if (!this.settings.cacheDb || !this.settings.cacheL2) return noTickets;
    const rows = [...new Set([...ids].map((id) => rowTags(entity, this.rules.spell(entity, id)).tag))];
    return rows.length === 0 ? noTickets : this.tags.tickets(rows, rowTags(entity, '').coarse).catch(() => noTickets);
  }
}
