import { weakestOf } from '../../src/policies/index.js';
import { type History } from './history.js';
import { type Row } from './memory-postgres.js';
import { type Change, type Fault, type Reader, type Target, type Writer } from './workload.js';
import { entity, rule, type SimulatedNode } from './world/node.js';
import { type SimulatedManager } from './world/orm.js';
import { type World } from './world/world.js';

/** Numbers of versions of rows, one after the other. */
const revisions = (first: number): (() => number) => {
  let last = first;
  return () => ++last;
};

export class Actors {
  readonly #nextRevision = revisions(9);
  #begun = 0;

  constructor(private readonly world: World) {}

  get #history(): History {
    return this.world.history;
  }

  /** A client's write, as the service does it: one transaction. */
  async write({ node: number, changes, rollback, fate }: Writer): Promise<void> {
    const node = this.node(number);
    if (!node.alive) return;
    const name = `w${++this.#begun}`;
    const write = this.#history.begin(name, node.name);
    this.world.steps.note(`${name} begins on ${node.name}`);
    try {
      await node.dataSource.transaction(async (manager) => {
        const { session } = manager.inside();
        this.#history.claim(session.name, write);
        for (const change of changes) await this.#change(node, manager, change);
        if (rollback) throw new Error('the client changed its mind');
        session.fate = fate;
      });
      write.acknowledged = this.#history.now();
      this.world.steps.note(`${name} is acknowledged`);
    } catch (error) {
      this.world.steps.note(`${name} fails: ${(error as Error).message}`);
    }
  }

  async #change(node: SimulatedNode, manager: SimulatedManager, change: Change): Promise<void> {
    switch (change.do) {
      case 'savepoint':
        return manager
          .transaction(async (inner) => {
            for (const one of change.changes) await this.#change(node, inner, one);
            if (change.rollback) throw new Error('back to the savepoint');
          })
          .catch((error: Error) => {
            if (!change.rollback) throw error;
          });
      case 'insert':
        return manager.save({ id: change.id, category: change.category, rev: this.#nextRevision() });
      case 'update': {
        const row = await find(node, manager, change);
        if (!row) return;
        const category = change.category ?? row.category;
        await manager.save({ ...row, category, rev: this.#nextRevision() });
        if (change.locks) await node.lockedRows.asWritten(manager.asEntityManager, rule, change.id);
        return;
      }
      case 'remove': {
        const row = await find(node, manager, change);
        return row ? manager.remove(row) : undefined;
      }
      case 'bulk':
        return manager.bulkUpdate(change.category, (row: Row) => ({
          ...row,
          category: change.to,
          rev: this.#nextRevision(),
        }));
    }
  }

  /** A client's reads, one after the other. */
  async read({ node: number, targets, renew }: Reader): Promise<void> {
    const node = this.node(number);
    const name = `r${++this.#begun}`;
    for (const target of targets) {
      if (!node.alive) return;
      const began = this.#history.now();
      const promised = node.registry.policyOf(entity);
      this.world.steps.note(`${name} reads ${target} on ${node.name}`);
      try {
        const parts = await valuesOf(node, target, renew);
        this.world.steps.note(`${name} has ${parts.map((part) => part.join(' = ')).join(', ')}`);
        const policy = weakestOf([promised, node.registry.policyOf(entity)])!;
        this.#history.read({ reader: name, node: node.name, policy, began }, parts);
      } catch (error) {
        this.world.steps.note(`${name} fails: ${(error as Error).message}`);
      }
    }
  }

  async befall(fault: Fault): Promise<void> {
    const node = this.node(fault.node);
    const { redis, database } = this.world;
    if (!node.alive) return;
    this.world.steps.note(`! ${JSON.stringify(fault)}`);
    switch (fault.fault) {
      case 'crash':
        // Somebody has to be left.
        return this.world.nodes.filter(({ alive }) => alive).length > 1 ? node.crash() : undefined;
      case 'clear':
        return node.invalidator.clear().catch(() => undefined);
      case 'invalidate':
        return node.invalidator.onDemand([fault.tag]).catch(() => undefined);
      case 'switch':
        return node.policySwitch.to(entity, fault.to).catch(() => undefined);
      case 'flush':
        return redis.flush();
      case 'restart':
        return redis.restart(fault.keepingData);
      case 'evict': {
        const keys = redis.memory.keys.filter((key) => key.endsWith('things:1') || key.endsWith('things'));
        return keys.forEach((key) => redis.memory.evict(key));
      }
      case 'terminate': {
        const [session] = [...database.sessions].filter((one) => one.node === node && one.transaction);
        return session?.terminate();
      }
      case 'partition':
        node.partitioned = true;
        for (const connection of redis.connections(({ node: of }) => of === node)) connection.hold(true);
        return;
      case 'cut':
      case 'hold':
        for (const connection of redis.connections(({ node: of, path }) => of === node && path === fault.path)) {
          if (fault.fault === 'cut') connection.cut(fault.commandsToo);
          else connection.hold(true);
        }
    }
  }

  node(number: number): SimulatedNode {
    return this.world.nodes[number % this.world.nodes.length]!;
  }
}

/** Rows to be changed are locked as the service does it, or not at all: then the product locks them. */
function find(node: SimulatedNode, manager: SimulatedManager, { id, locks }: { id: number; locks: boolean }) {
  return locks ? node.lockedRows.lock(manager.asEntityManager, rule, id) : manager.findOne(id, false);
}

type Parts = readonly (readonly [register: string, value: string])[];

/** What a node answers, register by register. */
async function valuesOf(node: SimulatedNode, target: Target, renew: boolean): Promise<Parts> {
  if (target === 'page') return pageParts(await node.page(renew));
  const [kind, which] = target.split(' ');
  if (kind === 'row') return [[target, JSON.stringify(await node.row(Number(which)))]];
  return [[target, JSON.stringify(await node.list(which === 'all' ? undefined : which))]];
}

/** A response is one read of each of its parts. */
export function pageParts(body: string): Parts {
  const { row, list } = JSON.parse(body) as { row: Row | null; list: Row[] };
  return [
    ['row 1', JSON.stringify(row)],
    ['list a', JSON.stringify(list)],
  ];
}
