import { startApp, type TestApp } from '../support/start-app.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

describe('items', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('are created, read, replaced and deleted', async () => {
    const created = await app.http.post('/items').send(hammer).expect(201);
    const path = created.headers['location'] as string;
    expect(created.body).toMatchObject({ ...hammer, version: 1 });
    await app.http.get(path).expect(200, created.body).expect('ETag', created.headers['etag']!);
    const replaced = await app.http
      .put(path)
      .send({ ...hammer, price: 21 })
      .expect(200);
    expect(replaced.body).toMatchObject({ ...hammer, price: 21, version: 2 });
    await app.http.delete(path).expect(204);
    await app.http.get(path).expect(404).expect('Content-Type', 'application/problem+json');
  });
});
