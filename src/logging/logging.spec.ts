import { Writable } from 'node:stream';
import { loadSettings, secretsOf } from '../config/index.js';
import { createLogger, NestLogger, withoutPasswords } from './index.js';

describe('the log', () => {
  let lines: Record<string, unknown>[];
  let log: ReturnType<typeof createLogger>;
  beforeEach(() => {
    lines = [];
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    const settings = loadSettings({
      DATABASE_URL: 'postgres://app:p%40ss%2Fword%22@db/app?password=in-the-query',
      REDIS_URL: 'redis://strata:hunter2@redis/0',
      ADMIN_TOKEN: 'correct-horse-battery-staple',
    });
    log = createLogger({ level: 'info', secrets: secretsOf(settings), destination });
  });

  /** What Redis, PostgreSQL and their clients make of a refusal. */
  const refusal = (message: string) =>
    Object.assign(new Error(message), { code: 'ERR', command: { name: 'auth', args: ['strata', 'other-secret'] } });

  it('never holds a password', () => {
    log.info({ req: { authorization: 'Bearer hunter2', cookie: 'a=hunter2' } });
    log.error({ err: new Error('cannot reach redis://default:hunter2@host:1/0') });
    new NestLogger(log).error('postgres://app:hunter2@db/app is down', 'Error: postgres://app:hunter2@db', 'Database');
    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    log.info({ url: 'http://a', note: 'b:c@d' });
    expect(lines.at(-1)).toMatchObject({ url: 'http://a', note: 'b:c@d' });
    expect(withoutPasswords('http://host:3000/a:b@c')).toBe('http://host:3000/a:b@c');
  });

  it('holds of an error what it is and where it happened, and never what it carries, however deep it lies', () => {
    const nest = new NestLogger(log);
    const within = new Error('outer', { cause: new Error('middle', { cause: refusal('WRONGPASS') }) });
    nest.error(refusal('WRONGPASS'));
    nest.error(within);
    nest.error(new AggregateError([refusal('first'), refusal('second')], 'several'));
    nest.error({ failed: [{ error: refusal('in an object') }] });
    log.warn({ reason: within }, 'under any name');
    log.warn(Object.assign(new Error('query failed'), { query: 'SELECT $1', parameters: ['other-secret'] }));
    const round: Error & { cause?: unknown } = new Error('round');
    round.cause = round;
    nest.fatal(round);
    const text = JSON.stringify(lines);
    expect(text).not.toContain('other-secret');
    for (const told of ['middle', 'WRONGPASS', 'first', 'second', 'in an object', 'query failed'])
      expect(text).toContain(told);
    expect(lines[0]).toMatchObject({ level: 'error', msg: 'WRONGPASS', err: { type: 'Error', code: 'ERR' } });
    expect(lines[1]).toMatchObject({ err: { cause: { message: 'middle', cause: { message: 'WRONGPASS' } } } });
    expect(lines[2]).toMatchObject({ err: { errors: [{ message: 'first' }, { message: 'second' }] } });
  });

  it.each([
    ['the arguments that Redis repeats', "ERR unknown command 'AUTH', with args beginning with: 'strata' 'hidden' "],
    ['a password with an @', 'postgres://app:hid@den@db/app is down'],
    ['a URL without a user', 'cannot reach redis://:hidden@redis'],
    ['a password in a query', 'invalid: postgres://db/app?sslmode=require&password=hidden'],
    ['a connection string', 'host=db user=app password=hidden dbname=app'],
  ])('never holds %s', (_, text) => {
    const nest = new NestLogger(log);
    nest.warn(text);
    nest.error(new Error(text, { cause: new Error(text) }));
    nest.error('failed', `Error: ${text}\n    at x`, 'Redis');
    nest.log({ deep: { text } });
    expect(lines).toHaveLength(4);
    expect(JSON.stringify(lines)).not.toMatch(/hid/);
    expect(lines[2]!['stack']).toMatch(/at x$/);
  });

  it.each(['hunter2', 'p@ss/word"', 'p%40ss%2Fword%22', 'in-the-query', 'correct-horse-battery-staple'])(
    'never holds the secret %j of the settings, whoever says it',
    (secret) => {
      const nest = new NestLogger(log);
      nest.warn(`it was ${secret}`);
      nest.error(new Error(`(${secret})`));
      nest.log({ [secret]: [secret] });
      expect(lines).toHaveLength(3);
      expect(JSON.stringify(lines)).not.toContain(JSON.stringify(secret).slice(1, -1));
    },
  );

  it('holds no field that is a secret by its name, however deep it lies', () => {
    log.info({ a: { b: { password: 'hidden', token: 'hid"den', authorization: 'hidden', cookie: ['hidden'] } } });
    expect(lines[0]).toMatchObject({ a: { b: { password: '***', token: '***' } } });
    expect(JSON.stringify(lines)).not.toMatch(/hid/);
  });

  it('has the context and the stack that Nest gives', () => {
    new NestLogger(log).error('broken', 'Error: broken\n  at x', 'Http');
    new NestLogger(log).log('started', 'Nest');
    new NestLogger(log).debug('not at this level', 'Nest');
    expect(lines).toEqual([
      expect.objectContaining({ level: 'error', msg: 'broken', context: 'Http', stack: 'Error: broken\n  at x' }),
      expect.objectContaining({ level: 'info', msg: 'started', context: 'Nest' }),
    ]);
  });
});
