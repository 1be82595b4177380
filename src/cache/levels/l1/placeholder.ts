import { type Moment } from '../../clock.js';
import { type Tag } from '../../core/tags.js';
import { type Address, type Ticket } from '../level.js';
import { type Term } from './lease.js';
import { type Holder } from './tag-index.js';

/** The placeholder of a fill under way. Whatever is invalidated while it waits makes it void. */
export class Placeholder implements Ticket, Holder {
  readonly tags = new Set<Tag>();
  voided = false;

  constructor(
    readonly address: Address,
    readonly term: Term | undefined,
    readonly takenAt: Moment,
    readonly blind: boolean,
  ) {}

  void(): void {
    this.voided = true;
  }
}
