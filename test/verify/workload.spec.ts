import { Random } from '../../verify/random.mjs';
import { type Answer } from '../../verify/workload/client.mjs';
import { Recorder } from '../../verify/workload/recorder.mjs';
import { RowPool } from '../../verify/workload/rows.mjs';
import { bodyOf, writeKindNames, writeKinds } from '../../verify/workload/writes.mjs';

const answer = (more: Partial<Answer>): Answer => ({
  ...{ method: 'GET', status: 200, headers: {}, text: '', invokedMs: 1, completedMs: 2 },
  ...more,
});
const item = (version: number) => JSON.stringify({ id: 1, version, name: `write ${version}` });

describe('a read without a body', () => {
  const ask = { path: '/items/1', key: 1 };
  const seen = (version: number) => answer({ text: item(version), headers: { etag: `"${version}"` } });
  const bare = (more: Partial<Answer>, version: number) => answer({ ...more, headers: { etag: `"${version}"` } });

  it('of 304 stands for what its tag was seen on', () => {
    const recorder = new Recorder();
    recorder.read(0, ask, seen(1));
    expect(recorder.tagOf('/items/1')).toBe('"1"');
    recorder.read(1, ask, bare({ status: 304 }, 1));
    recorder.resolve();
    expect(recorder.reads[1]).toMatchObject({ outcome: 'ok', via: '304', rows: [[1, 1, 'write 1']] });
    expect(recorder.answered).toBe(2);
  });

  it('of HEAD stands for what its tag is seen on later; of an unknown tag for nothing', () => {
    const recorder = new Recorder();
    recorder.read(0, ask, bare({ method: 'HEAD' }, 2));
    recorder.read(0, ask, bare({ method: 'HEAD' }, 3));
    recorder.read(1, ask, seen(2));
    recorder.resolve();
    const [known, unknown] = recorder.reads;
    expect(known).toMatchObject({ via: 'HEAD', rows: [[1, 2, 'write 2']] });
    expect(known).not.toHaveProperty('etag');
    expect(unknown).toMatchObject({ via: 'HEAD', rows: [], etag: '/items/1 "3"' });
  });

  it('of HEAD says that a row is absent', () => {
    const recorder = new Recorder();
    recorder.read(0, ask, answer({ method: 'HEAD', status: 404 }));
    expect(recorder.reads).toMatchObject([{ outcome: 'ok', rows: [], status: 404 }]);
  });
});

it('an answer of a row and a list shows both', () => {
  const recorder = new Recorder();
  const text = JSON.stringify({
    key: 'boxes:1',
    version: 2,
    name: 'b',
    data: [{ key: 'parts:1', version: 1, name: 'p' }],
  });
  recorder.read(0, { key: 'boxes:1', category: 'parts/1' }, answer({ text }));
  expect(recorder.reads[0]?.rows).toEqual([
    ['boxes:1', 2, 'b'],
    ['parts:1', 1, 'p'],
  ]);
});

describe('what is written', () => {
  const draw = (kind: (typeof writeKindNames)[number], pool: RowPool) => (seed: number) =>
    writeKinds[kind].draw({ pool, random: new Random(seed), name: 'write 1' });

  it.each(writeKindNames)('as %s is drawn again from the same seed', (kind) => {
    const pool = () => {
      const own = new RowPool([1, 2], true);
      own.begin(['documents:1', 'documents:2']);
      own.end(['documents:1', 'documents:2'], true);
      return own;
    };
    const drafts = [1, 2, 3, 4, 5].map((seed) => draw(kind, pool())(seed)!);
    expect([1, 2, 3, 4, 5].map((seed) => draw(kind, pool())(seed))).toEqual(drafts);
    for (const draft of drafts) {
      const { rows, undone } = bodyOf(draft);
      expect(rows.length + undone.length).toBeGreaterThan(0);
      // In one order, so that writers do not wait for each other in a circle; a cascade begins with its parent.
      const keys = draft.rows.slice(kind === 'cascade' ? 1 : 0).map(({ key }) => key);
      expect(keys).toEqual([...keys].sort());
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('sends the other spelling of a key and is recorded by the key itself', () => {
    const pool = new RowPool([1], true);
    pool.begin(['documents:0a']);
    const spelled = Array.from({ length: 40 }, (_, seed) => bodyOf(draw('spelled', pool)(seed)!).rows[0]!.id);
    expect(spelled).toContain('0A');
    expect(spelled).toContain(101);
  });
});

describe('a document', () => {
  const random = new Random(1);

  it('is not removed while somebody writes it, nor where a writer was not answered', () => {
    const pool = new RowPool([1], true);
    pool.begin(['documents:1']);
    expect(pool.removable(random)).toBeUndefined();
    pool.begin(['documents:1']);
    pool.end(['documents:1'], true);
    expect(pool.removable(random)).toBeUndefined();
    pool.end(['documents:1'], false);
    expect(pool.removable(random)).toBeUndefined();
  });

  it('is removed once, and not written again', () => {
    const pool = new RowPool([1], true);
    pool.begin(['documents:1']);
    pool.end(['documents:1'], true);
    expect(pool.removable(random)).toBe('documents:1');
    pool.begin(['documents:1']);
    expect(pool.removable(random)).toBeUndefined();
    expect(pool.existing('documents', random)).not.toBe('documents:1');
  });
});
