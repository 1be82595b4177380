import { type Response } from 'express';
import { EventStream } from '../../src/admin/events/event-stream.js';
import { Lifecycle } from '../../src/http/index.js';
import { hear, SlowResponse } from '../support/event-listener.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const token = 'correct-horse-battery-staple';
const authorization = `Bearer ${token}`;

describe('the live events', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await startApp({ env: { ADMIN_TOKEN: token } });
  });
  afterEach(() => app.close());

  it('tell everything that the cache says, as server-sent events', async () => {
    const listener = await hear(app, '/admin/events', { authorization });
    expect(listener.answer.statusCode).toBe(200);
    expect(listener.answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await until(() => listener.text().startsWith(': connected\n\n'));
    await app.http.get('/items').expect(200);
    await until(() => listener.events().some(({ type }) => type === 'load'));
    expect(listener.events()).toContainEqual({ type: 'request', layer: 'db', level: 'l2', result: 'bypass' });
    listener.answer.destroy();
  });

  it('are for those who may know', async () => {
    await app.http.get('/admin/events').expect(401);
    const { headers } = await app.http.post('/admin/session').send({ token }).expect(204);
    const listener = await hear(app, '/admin/events', { cookie: String(headers['set-cookie']).split(';')[0]! });
    expect(listener.answer.statusCode).toBe(200);
    listener.answer.destroy();
    await app.http.get('/admin/events').set({ authorization, Accept: 'application/json' }).expect(406);
    await app.http
      .head('/admin/events')
      .set({ authorization })
      .expect(200)
      .expect('Content-Type', /^text\/event-stream/);
  });

  it('go on for longer than a request may take to begin', async () => {
    const brisk = await startApp({ env: { ADMIN_TOKEN: token, REQUEST_TIMEOUT_MS: '30' } });
    let listener = await hear(brisk, '/admin/events', { authorization });
    // Where the machine stood still, the stream may not have begun in time.
    await until(async () => {
      if (listener.answer.statusCode === 503) listener = await hear(brisk, '/admin/events', { authorization });
      return listener.answer.statusCode === 200;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await brisk.http.get('/items');
    await until(() => listener.events().length > 0);
    expect(listener.ended()).toBe(false);
    listener.answer.destroy();
    await brisk.close();
  });

  it('end when the service drains, and nobody new is let in', async () => {
    const listener = await hear(app, '/admin/events', { authorization });
    app.app.get(Lifecycle).drain();
    await until(() => listener.ended());
    await app.http.get('/admin/events').set({ authorization }).expect(503).expect('Retry-After', '1');
    // How long one listened is not how long a request takes.
    const { text } = await app.http.get('/metrics').expect(200);
    expect(text).toContain('route="/admin/events",method="GET",status="503"');
    expect(text).not.toContain('route="/admin/events",method="GET",status="200"');
  });
});

describe('a stream', () => {
  const event = (n: number) => ({ type: 'load', n });
  let client: SlowResponse;
  const open = (options: Partial<ConstructorParameters<typeof EventStream>[1]> = {}) =>
    new EventStream(client as unknown as Response, { capacity: 3, gatherMs: 1, heartbeatMs: 60_000, ...options });
  beforeEach(() => {
    client = new SlowResponse();
  });
  afterEach(() => client.emit('close'));

  it('keeps a bounded number of events for a client that is slow, and tells it how many were lost', async () => {
    const stream = open();
    client.takes = false;
    stream.push(event(0));
    await until(() => client.written.length === 2);
    for (let n = 1; n <= 10; n += 1) stream.push(event(n));
    // Longer than it gathers, by timers that are as late as its own.
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(client.written).toHaveLength(2);
    client.takeAgain();
    await until(() => client.written.length === 3);
    expect(client.written[2]).toBe(
      [1, 2, 3].map((n) => `data: {"type":"load","n":${n}}\n\n`).join('') + 'event: dropped\ndata: {"count":7}\n\n',
    );
    stream.push(event(11));
    await until(() => client.written.length === 4);
    expect(client.written[3]).toBe('data: {"type":"load","n":11}\n\n');
  });

  it('has a heartbeat, which does not pile up either', () => {
    jest.useFakeTimers();
    try {
      open({ heartbeatMs: 1_000 });
      const beats = () => client.written.filter((text) => text === ': heartbeat\n\n').length;
      jest.advanceTimersByTime(3_000);
      expect(beats()).toBe(3);
      client.takes = false;
      jest.advanceTimersByTime(10_000);
      expect(beats()).toBe(4);
    } finally {
      jest.useRealTimers();
    }
  });

  it('sends what waits before it ends', () => {
    const stream = open({ gatherMs: 60_000 });
    stream.push(event(1));
    stream.end();
    expect(client.written.at(-1)).toBe('data: {"type":"load","n":1}\n\n');
  });
});
