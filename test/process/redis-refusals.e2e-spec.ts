import { restrictedNode } from '../support/restricted-node.js';

describe('a node whose Redis refuses it something', () => {
  const { acl, cutOff, reasonIs, redisSays, serves, warnings } = restrictedNode();

  it.each<[string, () => Promise<unknown>]>([
    ['has another password', () => acl('resetpass', '>another-one')],
    ['is switched off', () => acl('off')],
    ['is removed', () => redisSays('ACL', 'DELUSER', 'strata')],
  ])('serves without it while its user %s, says so once, and uses it again as soon as it may', async (_, refuse) => {
    const before = warnings().length;
    await refuse();
    await cutOff();
    await reasonIs('redis', /refuses the user or the password in REDIS_URL/);
    for (let n = 0; n < 5; n += 1) await serves();
    expect(warnings().filter((line) => line.includes('the user or the password')).length).toBeLessThanOrEqual(
      before + 1,
    );
  });

  it('hears no invalidations, and says so, where its user may not subscribe', async () => {
    await acl('-subscribe');
    await cutOff();
    await reasonIs('l1', /\+subscribe$/);
    await serves();
  });

  it.each<[string, string, string, RegExp]>([
    ['its memory is full', 'maxmemory', '1', /memory of Redis is full/],
    ['it lacks replicas', 'min-replicas-to-write', '1', /fewer replicas/],
  ])('serves without a Redis that refuses writes because %s, and says so', async (_, name, value, reason) => {
    await redisSays('CONFIG', 'SET', name, value);
    await reasonIs('redis', reason);
    await serves();
    await redisSays('CONFIG', 'SET', name, '0');
  });

  it('serves without a Redis that has become a replica, and says so', async () => {
    await redisSays('REPLICAOF', '127.0.0.1', '1');
    await reasonIs('redis', /replica/);
    await serves();
    await redisSays('REPLICAOF', 'NO', 'ONE');
  });
});
