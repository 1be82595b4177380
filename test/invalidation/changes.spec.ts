import { type EntityRule, type RowId } from '../../src/cache/index.js';
import { ChangedTags } from '../../src/invalidation/feed/changed-tags.js';
import { Frame, maxNamedRows } from '../../src/invalidation/subscriber/frame.js';

interface Thing {
  readonly id: number;
  readonly color: string;
}

const rule = {
  entity: 'things',
  idOf: ({ id }: Thing) => id,
  filtersOf: ({ color }: Thing) => [{ color }],
} as unknown as EntityRule<object>;
const spell = (_: string, id: RowId): string => String(id);
const thing = (id: number, color = 'red'): Thing => ({ id, color });
const changesOf = (frame: Frame) => {
  const [changes] = frame.changes;
  return { ids: [...changes!.ids], inserted: [...changes!.inserted], unknown: changes!.unknown };
};

describe('a frame', () => {
  it('takes over everything that a released savepoint has changed', () => {
    const [outer, inner] = [new Frame(), new Frame()];
    outer.change(rule, '1', ['things?color=red']);
    inner.expect(rule, 1);
    inner.insert(rule, '2', true);
    inner.change(rule, '3', ['things?color=blue']);
    outer.absorb(inner);
    expect(changesOf(outer)).toEqual({ ids: ['1', '2', '3'], inserted: ['2'], unknown: false });
    expect([...outer.changes[0]!.oldListTags]).toEqual(['things?color=red', 'things?color=blue']);
  });

  it('takes over that a released savepoint has changed rows that nobody named', () => {
    const [outer, inner] = [new Frame(), new Frame()];
    inner.changeUnknown(rule);
    outer.absorb(inner);
    expect(outer.isUnknown(rule)).toBe(true);
    outer.absorb(new Frame());
    expect(outer.isUnknown(rule)).toBe(true);
  });

  it('stops naming rows beyond a limit, together with those of its savepoints', () => {
    const [outer, inner] = [new Frame(), new Frame()];
    for (let id = 1; id <= maxNamedRows; id += 1) outer.change(rule, String(id), []);
    expect(outer.isUnknown(rule)).toBe(false);
    inner.change(rule, String(maxNamedRows + 1), []);
    expect(inner.isUnknown(rule)).toBe(false);
    outer.absorb(inner);
    expect(outer.isUnknown(rule)).toBe(true);
    const alone = new Frame();
    for (let id = 0; id <= maxNamedRows; id += 1) alone.change(rule, String(id), []);
    expect(alone.isUnknown(rule)).toBe(true);
  });
});

describe('what the feed reports of a transaction', () => {
  it('names each row and the lists of all its images', () => {
    const changes = new ChangedTags(spell);
    changes.row(rule, [thing(1, 'red'), thing(1, 'blue')]);
    expect([...(changes.all().get('things') ?? [])].sort()).toEqual([
      ...['things', 'things:1', 'things?color=blue', 'things?color=red'],
    ]);
  });

  it('is everything of the entity beyond a limit, and once rows have changed that are not named', () => {
    const [many, unknown] = [new ChangedTags(spell), new ChangedTags(spell)];
    for (let id = 0; id <= maxNamedRows; id += 1) many.row(rule, [thing(id)]);
    unknown.row(rule, [thing(1)]);
    unknown.unknown(rule);
    unknown.row(rule, [thing(2)]);
    for (const changes of [many, unknown]) expect(changes.all()).toEqual(new Map([['things', ['things:*']]]));
  });
});
