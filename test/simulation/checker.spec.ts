import { check, type Kind } from './checker.js';
import { History } from './history.js';

const leaseMs = 1_000;
let ms = 0;
let history: History;

beforeEach(() => {
  ms = 0;
  history = new History(() => ms);
  commit(1);
});

/** A version of row 1 becomes visible, and is acknowledged unless nobody is told. */
function commit(rev: number, { acknowledged = true, told = true } = {}): void {
  const write = history.begin(`w${rev}`, 'n0');
  history.claim(`s${rev}`, write);
  history.committed(`s${rev}`, [{ id: 1, category: 'a', rev }], rev);
  if (told) history.fenced(String(rev), ['strata:g:tag:things:1']);
  if (acknowledged) write.acknowledged = history.now();
}

const begin = () => history.now();
const end = (began: ReturnType<typeof begin>, rev: number, node = 'n1'): void =>
  history.read({ reader: 'r', node, policy: 'strict', began }, [
    ['row 1', JSON.stringify({ id: 1, category: 'a', rev })],
  ]);
const read = (rev: number, node?: string): void => end(begin(), rev, node);
const found = (): Kind[] => check(history, leaseMs).map(({ kind }) => kind);

it('finds nothing wrong with reads of what is there', () => {
  read(1);
  commit(2);
  read(2);
  expect(found()).toEqual([]);
});

it('lets a read that overlaps a write be older or newer', () => {
  const [early, late] = [begin(), begin()];
  commit(2);
  end(early, 1);
  end(late, 2);
  expect(found()).toEqual([]);
});

it('finds a read that is older than an acknowledged write', () => {
  commit(2);
  read(1);
  expect(found()).toEqual(['R']);
});

it('finds one that is so for longer than a lease', () => {
  commit(2);
  ms += leaseMs + 1;
  read(1);
  expect(found()).toEqual(['S']);
});

it('counts the lease from when Redis was told', () => {
  commit(2, { told: false });
  ms += leaseMs + 1;
  read(1);
  expect(found()).toEqual(['R']);
});

it('lets a write that nobody acknowledged be missed, but not seen and then missed', () => {
  commit(2, { acknowledged: false });
  read(1);
  expect(found()).toEqual([]);
  read(2);
  read(1);
  expect(found()).toEqual(['A']);
});

it('finds a value that was never there', () => {
  read(7);
  expect(found()).toEqual(['P']);
});

it('finds a value that is there only later', () => {
  read(2);
  commit(2);
  expect(found()).toEqual(['P']);
});

it('knows a node that misses its own write', () => {
  commit(2);
  read(1, 'n0');
  expect(check(history, leaseMs)).toMatchObject([{ kind: 'R', ownWrite: true }]);
});
