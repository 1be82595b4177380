import { responseAddress } from '../../src/cache/engine/addresses.js';
import { deserialise, queryAddress, queryTags, rowAddress } from '../../src/cache/index.js';
import { sharesL1 } from '../../src/cache/policy-source.js';
import { type Address } from '../../src/cache/testing.js';
import { pageParts } from './actors.js';
import { type Violation } from './checker.js';
import { valueOf } from './history.js';
import { type Target, targets } from './workload.js';
import { entity, type SimulatedNode } from './world/node.js';
import { type World } from './world/world.js';

/** How long, in ms, everything may take to heal once nothing is in its way: retries back off up to 800 ms. */
const healingMs = 4_000;
const roundMs = 200;

const healed = ({ connection, lease, journal }: SimulatedNode): boolean =>
  connection.state === 'closed' && lease.valid && journal.size === 0;

/** Ends all faults, lets what is under way come to its end, and waits until every node is whole. */
export async function settle(world: World): Promise<Violation[]> {
  const { steps, redis, time } = world;
  steps.note('everything settles');
  steps.instant = true;
  await steps.drain();
  for (const node of world.nodes) node.partitioned = false;
  for (const connection of redis.connections(() => true)) connection.hold(false);
  await steps.settle();
  const living = world.nodes.filter(({ alive }) => alive);
  for (let ms = 0; ms < healingMs && !living.every(healed); ms += roundMs)
    await time.pass(roundMs, () => steps.settle());
  const uncaught = world.nodes.flatMap(({ name, registry, uncaughtErrors }) =>
    uncaughtErrors.map((error): Violation => {
      const policy = registry.policyOf(entity);
      return { kind: 'H', policy, text: `an error that nobody catches ends ${name}: ${error.message}` };
    }),
  );
  const broken = living
    .filter((node) => !healed(node))
    .map(({ name, connection, lease, journal, registry }): Violation => {
      const policy = registry.policyOf(entity);
      const state = `connection ${connection.state}, lease ${lease.valid}, journal ${journal.size}`;
      return { kind: 'H', policy, text: `${name} does not heal: ${state}` };
    });
  return [...uncaught, ...broken];
}

/** What any level of any node would still answer, against what the database says. */
export async function leftStale(world: World): Promise<Violation[]> {
  const violations: Violation[] = [];
  const rows = world.database.postgres.rows();
  const living = world.nodes.filter(({ alive }) => alive);
  const policy = living[0]!.registry.policyOf(entity);
  const compare = (where: string, target: Target, body: string | undefined): void => {
    for (const [register, found] of body === undefined ? [] : partsOf(target, body)) {
      const expected = valueOf(register, rows);
      if (found !== expected)
        violations.push({ kind: 'E', policy, text: `${where}: ${register} = ${found}, the database has ${expected}` });
    }
  };
  for (const target of targets) {
    const address = addressOf(target);
    for (const { name, registry, settings, l1 } of living)
      if (sharesL1(registry.rulesOf(entity), settings))
        compare(`L1 of ${name}`, target, l1.find(address.key, settings.cacheStaleMs)?.body);
    const found = await living[0]!.l2.read(address, { staleMs: living[0]!.settings.cacheStaleMs });
    if (found.outcome === 'hit') compare('L2', target, found.entry.body);
  }
  return violations;
}

function partsOf(target: Target, body: string): readonly (readonly [string, string])[] {
  return target === 'page' ? pageParts(deserialise(body).body) : [[target, body]];
}

function addressOf(target: Target): Address {
  if (target === 'page') return responseAddress('/page');
  const [kind, which = ''] = target.split(' ');
  if (kind === 'row') return rowAddress(entity, Number(which));
  return queryAddress(entity, which, queryTags(entity, which === 'all' ? {} : { category: which }));
}
