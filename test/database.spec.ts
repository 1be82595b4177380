import pg from 'pg';
import { dataSourceOptions } from '../src/database/index.js';

describe('a connection to PostgreSQL', () => {
  it('that ends in the moment in which nobody listens to it does not end the process', () => {
    const { Client } = dataSourceOptions({ databaseUrl: '', databaseTimeoutMs: 1, databasePoolSize: 1 }).extra;
    const terminated = new Error('terminating connection due to administrator command');
    expect(() => new pg.Client().emit('error', terminated)).toThrow('administrator');
    expect(() => new Client().emit('error', terminated)).not.toThrow();
  });
});
