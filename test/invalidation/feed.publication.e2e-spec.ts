import { Logger } from '@nestjs/common';
import { RedisConnection } from '../../src/cache/index.js';
import { Settings } from '../../src/config/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { FeedNodes, genOf, stateOf } from '../support/feed-nodes.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { type TestApp } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';

const nodes = new FeedNodes();

it('a table that is not published is named, and the service is degraded', async () => {
  await nodes.sql('ALTER PUBLICATION strata_feed DROP TABLE items');
  const third = await nodes.start();
  try {
    await nodes.close();
    nodes.all = [third];
    await nodes.settled();
    await eventually(async () => {
      const { body } = await third.http.get('/health').expect(200);
      expect(body.details.feed).toMatchObject({ status: 'degraded', state: 'leading' });
    });
    // What has been cached meanwhile may be old.
    const { gen } = third.app.get(RedisConnection);
    await nodes.sql('ALTER PUBLICATION strata_feed ADD TABLE items');
    await until(() => ![undefined, gen].includes(genOf(third)));
    await eventually(async () => {
      const { body } = await third.http.get('/health').expect(200);
      expect(body.details.feed).toEqual({ status: 'up', state: 'leading' });
    });
  } finally {
    await nodes.sql('ALTER PUBLICATION strata_feed ADD TABLE items').catch(() => undefined);
  }
});

it('without its publication no slot is kept, and one warning says so; with it everything is cached anew', async () => {
  const id = await nodes.create();
  const { gen } = nodes.all[0]!.app.get(RedisConnection);
  const warned = jest.spyOn(Logger.prototype, 'warn');
  const slots = () => nodes.sql('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()');
  await nodes.sql('DROP PUBLICATION strata_feed');
  await until(() => nodes.all.every((node) => stateOf(node) === 'unsupported'));
  await until(async () => (await slots()).length === 0);
  await nodes.rename(id);
  const pauses = 3;
  for (let n = 0; n < pauses; n += 1) await nodes.sql('SELECT pg_sleep(0.5)');
  const texts = warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('CREATE PUBLICATION'));
  expect(texts).toHaveLength(nodes.all.length);
  warned.mockRestore();
  await nodes.sql('CREATE PUBLICATION strata_feed FOR TABLE items');
  await nodes.settled();
  await nodes.seen(id);
  for (const node of nodes.all) await until(() => ![undefined, gen].includes(genOf(node)));
});

it('a slot that has kept changes from when there was no publication is made anew', async () => {
  const id = await nodes.create();
  await nodes.close();
  await sqlFromElsewhere(nodes.database.url, 'DROP PUBLICATION strata_feed');
  await sqlFromElsewhere(nodes.database.url, "UPDATE items SET name = 'after' WHERE id = $1", [id]);
  await sqlFromElsewhere(nodes.database.url, 'CREATE PUBLICATION strata_feed FOR TABLE items');
  nodes.all = [await nodes.start()];
  await nodes.settled();
  await nodes.seen(id);
});

it('what the publication lacks of a table is told by the statement that adds it', async () => {
  const [node] = nodes.all as [TestApp];
  const paths = ['parts', 'app.odd'];
  const slot = new FeedSlot(node.app.get(Settings), node.dataSource, {
    all: () => paths.map((path) => ({ path })),
  } as never);
  await nodes.sql('CREATE SCHEMA app');
  await nodes.sql('CREATE TABLE app.odd (id int)');
  await nodes.sql('CREATE TABLE parts (id int) PARTITION BY RANGE (id)');
  await nodes.sql('CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100)');
  const add = (table: string) => ({ table, remedy: `ALTER PUBLICATION strata_feed ADD TABLE ${table}` });
  try {
    expect(await slot.gaps()).toEqual([add('parts'), add('app.odd')]);
    await nodes.sql('ALTER PUBLICATION strata_feed ADD TABLE parts, app.odd');
    const viaRoot = 'ALTER PUBLICATION strata_feed SET (publish_via_partition_root = true)';
    expect(await slot.gaps()).toEqual([{ table: 'parts', remedy: viaRoot }]);
    await nodes.sql(viaRoot);
    expect(await slot.gaps()).toEqual([]);
    await nodes.sql("ALTER PUBLICATION strata_feed SET (publish = 'insert, update')");
    const all = "ALTER PUBLICATION strata_feed SET (publish = 'insert, update, delete, truncate')";
    expect((await slot.gaps())?.map(({ remedy }) => remedy)).toEqual([all, all]);
  } finally {
    slot.close();
    await nodes.sql(
      "ALTER PUBLICATION strata_feed SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false)",
    );
    await nodes.sql('DROP SCHEMA app CASCADE');
    await nodes.sql('DROP TABLE parts');
  }
});
