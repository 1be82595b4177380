import { probe } from '../../src/cache/row-probe.js';

interface Row {
  readonly kind: string;
  readonly owner?: number;
  readonly author: { readonly id: number; readonly name: string } | null;
  readonly labels: readonly { readonly id: number }[];
}
const filtersOf = (rule: (row: Row) => unknown): string[] => [...probe(rule).filters].sort();
const readBy = (rule: (row: Row) => unknown): string[] => [...probe(rule).read].sort();

describe('made-up rows show', () => {
  it.each<[string, (row: Row) => unknown, string[]]>([
    ['plain filters', ({ kind, owner }) => [{ kind }, { owner, kind }], ['kind', 'kind&owner']],
    ['filters of rows that have a value', ({ owner }) => (owner === null ? [] : [{ owner }]), ['owner']],
    [
      'filters of rows that have none',
      ({ author }) => [author ? { author: author.id } : { orphan: 1 }],
      ['author', 'orphan'],
    ],
    ['filters of rows that have a property', (row) => ('owner' in row ? [{ owner: row.owner }] : []), ['owner']],
    ['computed filters', ({ kind }) => [{ initial: kind.slice(0, 1).toUpperCase() }], ['initial']],
  ])('%s', (_, rule, filters) => expect(filtersOf(rule)).toEqual(filters));

  it('what is looked at in other tables', () => {
    expect(readBy(({ author, kind }) => [{ author: author!.name, kind }])).toEqual(['author', 'author.name', 'kind']);
    expect(readBy(({ labels }) => labels.map(({ id }) => ({ label: id })))).toEqual(['labels', 'labels.id']);
  });
});
