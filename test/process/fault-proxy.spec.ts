import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultProxy } from '../support/fault-proxy/fault-proxy.mjs';
import { until } from '../support/until.js';

describe('the fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let received = '';
  let seen: string[] = [];

  beforeEach(async () => {
    received = '';
    seen = [];
    server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          received += String(chunk);
          socket.write(`<${String(chunk)}>`);
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await FaultProxy.to({ port: (server.address() as AddressInfo).port }, (chunk, way) =>
      seen.push(`${way} ${String(chunk)} ${received}`),
    );
  });

  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  const open = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const heard = { text: '', closed: false };
    socket.on('data', (chunk) => (heard.text += String(chunk)));
    socket.on('error', () => undefined).on('close', () => (heard.closed = true));
    await once(socket, 'connect');
    return { socket, heard };
  };
  const say = (socket: Socket, text: string) => new Promise<void>((resolve) => socket.write(text, () => resolve()));

  it('passes everything on, both ways', async () => {
    const { socket, heard } = await open();
    await say(socket, 'a');
    await until(() => heard.text === '<a>');
  });

  it('knows the connection that listens by its SUBSCRIBE, and cuts it alone', async () => {
    const [commands, bus] = [await open(), await open()];
    await say(bus.socket, '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nx\r\n');
    await until(() => bus.heard.text.includes('SUBSCRIBE'));
    expect(proxy.connections).toEqual({ data: 1, bus: 1 });
    proxy.hang(['bus']);
    await say(bus.socket, 'unheard');
    await say(commands.socket, 'heard');
    await until(() => commands.heard.text === '<heard>');
    expect(received).not.toContain('unheard');
  });

  it('delivers in order, and late, what was sent while it hung, also if the client has gone since', async () => {
    const { socket, heard } = await open();
    proxy.hang(['data', 'bus']);
    await say(socket, '1');
    await say(socket, '2');
    socket.destroy();
    await until(() => heard.closed);
    expect(received).toBe('');
    proxy.heal();
    await until(() => received === '12');
  });

  it('loses it with the connections when they are reset', async () => {
    const { socket, heard } = await open();
    await say(socket, '0');
    await until(() => heard.text === '<0>');
    proxy.hang(['data']);
    await say(socket, '1');
    proxy.heal({ reset: true });
    await until(() => heard.closed);
    expect(received).toBe('0');
  });

  it('slows every chunk down, either way', async () => {
    const { socket, heard } = await open();
    proxy.slow(['data'], () => 20);
    const startedMs = performance.now();
    await say(socket, 'a');
    await until(() => heard.text === '<a>');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(38);
  });

  it('closes what has no server behind it', async () => {
    server.close();
    const { heard } = await open();
    await until(() => heard.closed);
  });

  it.each([
    ['up', 1, ''],
    ['down', 2, 'a'],
  ] as const)('drops what goes %s, and resets what has lost something when it heals', async (way, chunks, arrived) => {
    const { socket, heard } = await open();
    proxy.drop(['data'], [way]);
    await say(socket, 'a');
    await until(() => seen.length === chunks);
    proxy.heal();
    await until(() => heard.closed);
    expect({ received, heard: heard.text }).toEqual({ received: arrived, heard: '' });
  });

  it('holds back one direction alone: what was asked is done, and nobody hears of it before it is healed', async () => {
    const { socket, heard } = await open();
    proxy.hang(['data'], ['down']);
    await say(socket, 'a');
    await until(() => received === 'a');
    expect(heard).toEqual({ text: '', closed: false });
    proxy.heal();
    await until(() => heard.text === '<a>');
  });

  it.each(['server', 'client'] as const)('leaves a connection half open when its %s is gone', async (gone) => {
    const { socket, heard } = await open();
    await say(socket, 'a');
    await until(() => heard.text === '<a>');
    proxy.halfOpen(['data'], gone);
    if (gone === 'client') return until(() => heard.closed);
    await say(socket, 'b');
    const { heard: next } = await open();
    await until(() => proxy.connections.data === 2);
    expect({ received, heard }).toEqual({ received: 'a', heard: { text: '<a>', closed: false } });
    proxy.heal();
    await until(() => heard.closed);
    expect(next.closed).toBe(false);
  });

  it('cuts a message after so many bytes', async () => {
    const { socket, heard } = await open();
    await say(socket, '1');
    await until(() => heard.text === '<1>');
    proxy.cut(['data'], 'up', 2);
    await say(socket, '234');
    await until(() => heard.closed);
    await until(() => received === '123');
  });

  it('resets one path and leaves the other', async () => {
    const [commands, bus] = [await open(), await open()];
    await say(bus.socket, '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nx\r\n');
    await until(() => bus.heard.text.includes('SUBSCRIBE'));
    proxy.reset(['bus']);
    await until(() => bus.heard.closed);
    await say(commands.socket, 'still');
    await until(() => commands.heard.text === '<still>');
  });

  it('shows whoever watches each chunk before it goes its way', async () => {
    const { socket } = await open();
    await say(socket, 'a');
    await until(() => seen.length === 2);
    expect(seen).toEqual(['up a ', 'down <a> a']);
  });
});
