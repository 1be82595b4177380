import { Agent, get } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { GracefulShutdown, Lifecycle } from '../../src/http/index.js';
import { standStill } from '../support/stand-still.js';
import { startApp, type TestApp } from '../support/start-app.js';

let arrived: () => void;
let answer: (text: string) => void;

@Controller('slow')
class SlowController {
  @Get()
  wait(): Promise<string> {
    arrived();
    return new Promise((resolve) => (answer = resolve));
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

describe('draining', () => {
  let app: TestApp;
  let lifecycle: Lifecycle;
  let shutdown: GracefulShutdown;
  beforeEach(async () => {
    app = await startApp({ imports: [SlowModule] });
    lifecycle = app.app.get(Lifecycle);
    shutdown = app.app.get(GracefulShutdown);
  });
  afterEach(() => app.close());

  /** Sends a request; by the time this resolves its handler is waiting for `answer`. */
  async function begin() {
    const begun = new Promise<void>((resolve) => (arrived = resolve));
    const outcome = new Promise<object | 'cut off'>((resolve) => {
      get(`${app.url}/slow`, { agent: new Agent({ keepAlive: true }) }, (res) => {
        res.resume().once('end', () => resolve({ status: res.statusCode, connection: res.headers.connection }));
      }).once('error', () => resolve('cut off'));
    });
    await begun;
    return { outcome };
  }

  it('lets a running request finish, says that its connection closes, and accepts no other', async () => {
    const { outcome } = await begin();
    const drained = shutdown.drain({ delayMs: 0, timeoutMs: 60_000 });
    expect(lifecycle.state).toBe('draining');
    expect(lifecycle.draining.aborted).toBe(true);
    await expect(fetch(`${app.url}/items`)).rejects.toThrow();
    answer('done');
    expect(await outcome).toEqual({ status: 200, connection: 'close' });
    await drained;
  });

  /** Asks on connections that are kept. */
  const asking = () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    return () =>
      new Promise<object>((resolve, reject) => {
        get(`${app.url}/items`, { agent }, (res) => {
          res.resume().once('end', () => resolve({ status: res.statusCode, connection: res.headers.connection }));
        }).once('error', reject);
      });
  };

  it('answers what a kept connection still brings, and closes those that bring nothing', async () => {
    const ask = asking();
    await Promise.all([ask(), ask()]);
    const drained = shutdown.drain({ delayMs: 0, timeoutMs: 60_000 });
    expect(await ask()).toEqual({ status: 200, connection: 'close' });
    await drained;
  });

  it('answers what a kept connection has brought while the process stood still', async () => {
    const ask = asking();
    await ask();
    const drained = shutdown.drain({ delayMs: 0, timeoutMs: 60_000 });
    const answered = ask();
    // Once it has been sent.
    process.nextTick(standStill, 500);
    expect(await answered).toEqual({ status: 200, connection: 'close' });
    await drained;
  });

  it('cuts off what does not finish in time', async () => {
    const { outcome } = await begin();
    await shutdown.drain({ delayMs: 0, timeoutMs: 20 });
    expect(await outcome).toBe('cut off');
    answer('too late');
  });

  it('still accepts during the delay, while readiness says no', async () => {
    let endDelay = (): void => undefined;
    const delay = jest.spyOn(globalThis, 'setTimeout').mockImplementationOnce((callback) => {
      endDelay = callback;
      return undefined as unknown as NodeJS.Timeout;
    });
    const drained = shutdown.drain({ delayMs: 500, timeoutMs: 60_000 });
    expect(delay.mock.calls).toEqual([[expect.any(Function), 500]]);
    delay.mockRestore();
    expect(lifecycle.state).toBe('draining');
    await app.http.get('/items').expect(200);
    endDelay();
    await drained;
    await expect(fetch(`${app.url}/items`)).rejects.toThrow();
    lifecycle.become('ready');
    expect(lifecycle.state).toBe('draining');
  });
});
