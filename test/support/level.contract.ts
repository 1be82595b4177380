import { type Address, type Fill, type Level, type Ticket } from '../../src/cache/testing.js';
import { Stopwatch } from './stopwatch.js';

/** What a suite needs of the level at hand. */
export interface LevelUnderTest {
  readonly level: Level;
  /** A snapshot as a load of this moment would have it. */
  snapshot(): Promise<string>;
  /** Lets time pass for the level. */
  pass(ms: number): Promise<void>;
}

const row = (id: number): Address => ({
  kind: 'row',
  key: `row things:${id}`,
  tag: `things:${id}`,
  coarse: 'things:*',
});
const query = (color: string): Address => ({
  kind: 'query',
  key: `query things color=${color}`,
  tags: [`things?color=${color}`, 'things:*'],
});

/** Every level keeps this contract; only the proof that a fill brings along differs. */
export function describeLevel(name: string, make: () => LevelUnderTest): void {
  describe(`${name}, as a level`, () => {
    const missed = async (address: Address, renew = false): Promise<Ticket> => {
      const read = await make().level.read(address, { renew });
      if (read.outcome !== 'miss') throw new Error(`expected a miss, found a ${read.outcome}`);
      return read.ticket;
    };
    const fillOf = async (
      address: Address,
      body: string,
      life = { freshMs: 60_000, keepMs: 120_000 },
    ): Promise<Fill> => ({
      body,
      snapshot: await make().snapshot(),
      dependencies: tagsOf(address).map((tag) => ({ tag, stamp: 'any' })),
      ...life,
    });
    const fill = async (address: Address, body: string, life?: { freshMs: number; keepMs: number }) => {
      const ticket = await missed(address);
      return make().level.fill(ticket, await fillOf(address, body, life));
    };
    const bodyOf = async (address: Address, staleMs = 0): Promise<string | undefined> => {
      const read = await make().level.read(address, { staleMs });
      return read.outcome === 'hit' ? read.entry.body : undefined;
    };

    for (const [kind, address, other] of [
      ['row', row(1), row(2)],
      ['query', query('red'), query('blue')],
    ] as const) {
      describe(`for a ${kind}`, () => {
        it('answers what was filled, with the tags that it depends on', async () => {
          const dependencies = await fill(address, '{"n":1}');
          expect(dependencies?.map(({ tag }) => tag)).toEqual(tagsOf(address));
          const read = await make().level.read(address);
          expect(read).toMatchObject({ outcome: 'hit', entry: { body: '{"n":1}', dependencies } });
        });

        it('misses what was not filled', async () => {
          expect((await make().level.read(address)).outcome).toBe('miss');
        });

        it('keeps null: something that is known to be absent', async () => {
          await fill(address, 'null');
          expect(await bodyOf(address)).toBe('null');
        });

        it.each(tagsOf(address))('forgets it when %s is invalidated', async (tag) => {
          await fill(address, '1');
          await make().level.invalidate([tag]);
          expect(await bodyOf(address)).toBeUndefined();
        });

        it('keeps everything else when a tag is invalidated', async () => {
          await fill(address, '1');
          await make().level.invalidate([tagsOf(other)[0]!]);
          expect(await bodyOf(address)).toBe('1');
        });

        it.each(tagsOf(address))('refuses a fill that began before %s was invalidated', async (tag) => {
          const ticket = await missed(address);
          const late = await fillOf(address, '"old"');
          await make().level.invalidate([tag]);
          expect(await make().level.fill(ticket, late)).toBeUndefined();
          expect(await bodyOf(address)).toBeUndefined();
        });

        it('is a hit until its freshness ends, and for as long past it as the reader allows', async () => {
          let freshMs = 250;
          for (let body: string | undefined; body === undefined; freshMs *= 2) {
            const watch = new Stopwatch();
            await fill(address, '1', { freshMs, keepMs: 600_000 });
            body = await bodyOf(address);
            // A level that keeps its own time misses what the machine took too long to ask for: then it lives longer.
            if (body === undefined) expect(watch.elapsedMs).toBeGreaterThan(freshMs - 2);
            else expect(body).toBe('1');
          }
          await make().pass(freshMs);
          expect(await bodyOf(address)).toBeUndefined();
          expect(await bodyOf(address, 600_000)).toBe('1');
        });

        it('is gone when its life ends, whatever the reader allows', async () => {
          await fill(address, '1', { freshMs: 20, keepMs: 40 });
          await make().pass(60);
          expect(await bodyOf(address, 5_000)).toBeUndefined();
        });

        it('gives a ticket although there is an entry, for a renewal', async () => {
          await fill(address, '1');
          const ticket = await missed(address, true);
          await make().level.fill(ticket, await fillOf(address, '2'));
          expect(await bodyOf(address)).toBe('2');
        });
      });
    }
  });
}

function tagsOf(address: Address): readonly string[] {
  if (address.kind === 'row') return [address.tag, address.coarse];
  return address.kind === 'query' ? address.tags : [];
}
