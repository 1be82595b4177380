import { Writable } from 'node:stream';
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
    log = createLogger({ level: 'info', destination });
  });

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
