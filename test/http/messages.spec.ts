import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import express from 'express';
import { MessagesAdapter } from '../../src/http/index.js';

it('gives Express messages whose prototypes it has no reason to change, and one kind of them only', async () => {
  const app = express();
  const prototypes: unknown[] = [];
  const adapter = new MessagesAdapter(app);
  adapter.initHttpServer();
  const server = adapter.getHttpServer();
  const note = (...messages: [IncomingMessage, ServerResponse]) =>
    prototypes.push(...messages.map(Object.getPrototypeOf));
  server.prependListener('request', note);
  app.use((req, res) => {
    note(req, res);
    res.status(200).json({ accepts: req.accepts('json'), same: req.app === app && res.app === app });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(await answer.json()).toEqual({ accepts: 'json', same: true });
    const [request, response, requestInExpress, responseInExpress] = prototypes;
    expect(requestInExpress).toBe(request);
    expect(responseInExpress).toBe(response);
  } finally {
    server.close();
  }
});
