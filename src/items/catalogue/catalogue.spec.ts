import { createHash } from 'node:crypto';
import { catalogue } from './index.js';

const items = catalogue();

function namesOf(wrong: (item: (typeof items)[number]) => boolean): readonly string[] {
  return items.filter(wrong).map(({ name }) => name);
}

function outside(value: number, least: number, most: number): boolean {
  return value < least || value > most;
}

describe('the demo catalogue', () => {
  it('holds exactly 1,000 items', () => {
    expect(items).toHaveLength(1000);
  });

  it('gives no two items the same name', () => {
    expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
  });

  it('names every item in 1 to 200 characters, with no blanks around them', () => {
    expect(namesOf(({ name }) => outside([...name].length, 1, 200) || name !== name.trim())).toEqual([]);
  });

  it('describes most items in at most 2,000 characters and leaves a few without a description', () => {
    expect(namesOf(({ description }) => description !== null && outside([...description].length, 1, 2000))).toEqual([]);
    const without = namesOf(({ description }) => description === null).length;
    expect(without).toBeGreaterThan(0);
    expect(without).toBeLessThan(50);
  });

  it('leaves no placeholder unfilled', () => {
    expect(namesOf(({ name, description }) => /[{}]|undefined/.test(`${name} ${description ?? ''}`))).toEqual([]);
  });

  it('files every item under a slug of at most 64 characters', () => {
    expect(namesOf(({ category }) => !/^[a-z0-9-]{1,64}$/.test(category))).toEqual([]);
  });

  it('has about twenty categories of 20 to 90 items, tools and toys among them', () => {
    const sizes = new Map<string, number>();
    for (const { category } of items) sizes.set(category, (sizes.get(category) ?? 0) + 1);
    expect([...sizes.keys()]).toEqual(expect.arrayContaining(['tools', 'toys']));
    expect(outside(sizes.size, 18, 22)).toBe(false);
    expect([...sizes].filter(([, size]) => outside(size, 20, 90))).toEqual([]);
  });

  it('prices every item from 0 to 9,999,999,999.99 with at most two decimals', () => {
    expect(namesOf(({ price }) => outside(price, 0, 9_999_999_999.99) || price !== Number(price.toFixed(2)))).toEqual(
      [],
    );
  });

  it('stocks whole quantities within a 32-bit integer, some of them none', () => {
    expect(namesOf(({ quantity }) => !Number.isInteger(quantity) || outside(quantity, 0, 2_147_483_647))).toEqual([]);
    expect(namesOf(({ quantity }) => quantity === 0).length).toBeGreaterThan(0);
  });

  it('opens with the item the examples use', () => {
    expect(items[0]).toMatchObject({ name: 'Hallbrekk 8-inch adjustable wrench', category: 'tools', price: 24.5 });
  });

  it('is the same on every call', () => {
    expect(catalogue()).toEqual(items);
  });

  it('is the same on every machine', () => {
    const digest = createHash('sha256').update(JSON.stringify(items)).digest('hex');
    expect(digest).toBe('91f332e5607dffb1879546ff40f6d56e7bc80fd943bd5c556f4f9e179d043275');
  });
});
