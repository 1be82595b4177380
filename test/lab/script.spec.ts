import { type Cue, homeOf, rows, writeScript } from '../../lab/script.mjs';

const script = writeScript('7', 41);
const of = <Kind extends Cue['kind']>(kind: Kind) =>
  script.cues.filter((cue): cue is Extract<Cue, { kind: Kind }> => cue.kind === kind);

describe('the script of the lab', () => {
  it('is drawn from the seed alone', () => {
    expect(writeScript('7', 41)).toEqual(script);
    expect(writeScript('8', 41).cues).not.toEqual(script.cues);
  });

  it('has acts without a gap, as long as was asked for, and every cue within them', () => {
    expect(script.acts[0]!.fromMs).toBe(0);
    script.acts.slice(1).forEach((act, i) => expect(act.fromMs).toBe(script.acts[i]!.untilMs));
    expect(script.acts.at(-1)!.untilMs).toBe(41_000);
    expect(writeScript('7', 5).acts.at(-1)!.untilMs).toBeCloseTo(5_000, -1);
    const moments = script.cues.map(({ atMs }) => atMs);
    expect(moments).toEqual([...moments].sort((a, b) => a - b));
    expect(moments.every((atMs) => atMs >= 0 && atMs < 41_000)).toBe(true);
  });

  it('has about four times as many requests in the burst', () => {
    const rate = (name: string) => {
      const { fromMs, untilMs } = script.acts.find((act) => act.name === name)!;
      return of('read').filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).length / (untilMs - fromMs);
    };
    expect(rate('burst') / rate('calm')).toBeGreaterThan(3);
    expect(rate('burst') / rate('calm')).toBeLessThan(5);
  });

  it("asks for rows by Zipf's law", () => {
    const { witness } = script;
    const asked = of('read').filter(({ key }) => key !== undefined && key !== witness.key);
    const times = (from: number, to: number) => asked.filter(({ key }) => key! >= from && key! <= to).length;
    expect(times(1, 1) / asked.length).toBeGreaterThan(0.12);
    expect(times(1, 10) / asked.length).toBeGreaterThan(0.4);
    expect(times(101, rows)).toBeGreaterThan(0);
  });

  it('writes the witness once, through the other node, while one is cut off and nothing else happens to it', () => {
    const [write, ...others] = of('write').filter(({ key }) => key === script.witness.key);
    const [[cut], [heal], [kill]] = [of('cut'), of('heal'), of('kill')];
    expect(others).toEqual([]);
    expect(write).toMatchObject({ node: script.witness.writer, category: homeOf(script.witness.key) });
    expect(cut!.node).toBe(script.witness.cutOff);
    expect(cut!.node).not.toBe(write!.node);
    expect(cut!.atMs).toBeLessThan(write!.atMs);
    expect(write!.atMs).toBeLessThan(heal!.atMs);
    expect(heal!.atMs).toBeLessThan(kill!.atMs);
    expect(of('sql').map(({ key }) => key)).not.toContain(script.witness.key);
  });

  it('never has both nodes broken, and heals what it breaks', () => {
    const faults = [...of('cut'), ...of('heal'), ...of('kill'), ...of('start')].sort((a, b) => a.atMs - b.atMs);
    expect(faults.map(({ kind }) => kind)).toEqual(['cut', 'heal', 'kill', 'start']);
  });
});
