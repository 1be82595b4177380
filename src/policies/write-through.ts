import { invalidate } from './invalidate.js';
import { type Policy } from './policy.js';

/** A write makes what is cached of it invalid, and stores what was committed. In textbooks: write-through. */
export const writeThrough = {
  ...invalidate,
  name: 'write-through',
  guarantee: 'as `invalidate`, and the next read of the row is a hit',
  stores: true,
  committed: async (write) => {
    await write.deliverFence();
    await write.store();
  },
} as const satisfies Policy;
