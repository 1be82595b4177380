import { standStill } from '../support/stand-still.js';
import { Stopwatch } from '../support/stopwatch.js';

describe('a stopwatch', () => {
  it('takes the time out in which the process stood still', () => {
    const watch = new Stopwatch();
    standStill(300);
    expect(watch.elapsedMs).toBeGreaterThanOrEqual(300);
    expect(watch.stalledMs).toBeGreaterThanOrEqual(250);
    expect(watch.elapsedMs - watch.awakeMs).toBeGreaterThanOrEqual(250);
  });

  it('counts no stall from before it was started', async () => {
    standStill(300);
    const watch = new Stopwatch();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(watch.stalledMs).toBeLessThanOrEqual(watch.elapsedMs);
    expect(watch.elapsedMs - watch.stalledMs).toBeGreaterThan(0);
  });

  it('knows the longest stall', async () => {
    const watch = new Stopwatch();
    standStill(100);
    await new Promise((resolve) => setImmediate(resolve));
    standStill(400);
    expect(watch.longestStallMs).toBeGreaterThanOrEqual(350);
    expect(watch.stalledMs).toBeGreaterThanOrEqual(watch.longestStallMs);
  });
});
