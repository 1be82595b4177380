import { CacheEvents } from '../../src/cache/index.js';
import { Journal } from '../../src/invalidation/journal/journal.js';

const writer = (xid: number) => ({ xid: String(xid), xmin: String(xid) });
const many = (entity: string, count: number) => Array.from({ length: count }, (_, n) => `${entity}:${n}`);

describe('a journal', () => {
  it('returns what each writer has changed, and is empty then', () => {
    const journal = new Journal(new CacheEvents());
    journal.add(['items:1'], writer(1));
    journal.add(['items:2'], writer(2));
    journal.add(['items:3', 'items:1'], writer(1));
    expect(journal.size).toBe(3);
    expect(journal.take()).toEqual([
      { writer: writer(1), tags: ['items:1', 'items:3'] },
      { writer: writer(2), tags: ['items:2'] },
    ]);
    expect([journal.size, journal.take()]).toEqual([0, []]);
  });

  it('that is full keeps everything of the entities under its latest writer', () => {
    const journal = new Journal(new CacheEvents());
    journal.add(many('items', 6_000), writer(1));
    journal.add(many('gadgets', 6_000), writer(2));
    expect(journal.take()).toEqual([{ writer: writer(2), tags: ['items:*', 'gadgets:*'] }]);
  });

  it('that is full keeps values and rows apart: nobody has written a value, so nobody is fenced for it', () => {
    const journal = new Journal(new CacheEvents());
    journal.add(many('values', 6_000), undefined);
    journal.add(many('items', 6_000), writer(2));
    expect(journal.take()).toEqual([
      { writer: writer(2), tags: ['items:*'] },
      { writer: undefined, tags: ['values:*'] },
    ]);
  });
});
