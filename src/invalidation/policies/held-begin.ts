import type pg from 'pg';
import { type QueryRunner } from 'typeorm';

/*
 * A transaction begins with the statement that asks for the policy, so both go in one message: the BEGIN of TypeORM is
 * held until the first statement comes. Whoever takes it must send it at once, before anything else on that connection.
 */

export const begin = 'START TRANSACTION';

const held = new WeakMap<QueryRunner, pg.ClientBase>();

/** As if it had been sent. The connection is taken now, so that whoever has none learns it here. */
export async function holdBegin(runner: QueryRunner): Promise<void> {
  held.set(runner, (await runner.connect()) as pg.ClientBase);
}

/** What is to be sent first: the client to send it with, or undefined where nothing is held. */
export function takeBegin(runner: QueryRunner): pg.ClientBase | undefined {
  const client = held.get(runner);
  held.delete(runner);
  return client;
}
