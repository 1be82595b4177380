import { Readable } from 'node:stream';
import {
  All,
  applyDecorators,
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  Catch,
  ClassSerializerInterceptor,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  Head,
  Header,
  HttpCode,
  Injectable,
  Module,
  type NestInterceptor,
  NotFoundException,
  Redirect,
  Render,
  Req,
  Res,
  Sse,
  StreamableFile,
  type Type,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { Exclude, Expose, Type as Typed } from 'class-transformer';
import { type Request, type Response } from 'express';
import { map, of, throwError } from 'rxjs';
import { CacheResponse } from '../../src/cache/index.js';

/* Handlers of every kind that Nest has, each twice: with @CacheResponse and without. What they answer is always the same. */

class Pet {
  @Expose()
  readonly name: string = 'Rex';

  @Exclude()
  readonly chip: string = 'SECRET';
}

class User {
  readonly id: number = 1;

  @Exclude()
  readonly password: string = 'SECRET';

  @Typed(() => Pet)
  readonly pets: readonly Pet[] = [new Pet()];

  @Expose()
  get title(): string {
    return `user ${this.id}`;
  }
}

/** Wraps what comes, and says so in a header field. */
@Injectable()
export class Envelope implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>) {
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((data) => {
        response.set('X-Envelope', 'yes');
        return { data };
      }),
    );
  }
}

/** As {@link Envelope}, for a whole application: it leaves all routes alone that do not ask for it. */
@Injectable()
export class EnvelopeWhereWanted extends Envelope {
  override intercept(context: ExecutionContext, next: CallHandler<unknown>) {
    const { path } = context.switchToHttp().getRequest<Request>();
    return path.includes('/wrapped')
      ? super.intercept(context, next)
      : (next.handle() as ReturnType<Envelope['intercept']>);
  }
}

@Catch(BadRequestException)
class Forgiving implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(200).set('Cache-Control', 'max-age=60').json({ forgiven: true });
  }
}

interface Kind {
  /** Of the handler, under @CacheResponse. */
  readonly decorators?: readonly MethodDecorator[];
  /** Whether the handler has `@Res()`: as Nest's own to send, or as the handler's. */
  readonly response?: 'passthrough' | 'own';
  /** Instead of `@Get`. */
  readonly route?: (path: string) => MethodDecorator;
  /** It cannot be kept: it runs for every request. Otherwise one run answers all. */
  readonly kept: boolean;
  /** Nest prints them as JSON; the cache sends what the handler means. */
  readonly bytes?: true;
  readonly run: (req: Request, res: Response) => unknown;
}

const say = (fields: Record<string, string>, value: unknown, status = 200): Pick<Kind, 'response' | 'run'> => ({
  response: 'passthrough',
  run: (_, res) => (res.status(status).set(fields), value),
});
const value = (made: () => unknown, kept = true): Kind => ({ kept, run: made });

/** By name, which is the last part of the path. */
export const kinds: Readonly<Record<string, Kind>> = {
  object: value(() => ({ a: [1, null, 'x'], b: { c: undefined, d: new Date(0) } })),
  array: value(() => [{ a: 1 }, {}, []]),
  surrogates: value(() => ({ text: 'h\ud800i ☃' })),
  long: value(() => ({ text: 'long '.repeat(2_000) })),
  promise: value(() => Promise.resolve({ promised: true })),
  observable: value(() => of({ first: 1 }, { last: 2 })),
  string: value(() => 'plain <b>text</b>'),
  'long string': value(() => 'text '.repeat(2_000)),
  'lone surrogate': value(() => 'h\ud800i'),
  'empty string': value(() => ''),
  number: value(() => 42),
  zero: value(() => 0),
  false: value(() => false),
  bigint: value(() => 10n),
  null: value(() => null),
  undefined: value(() => undefined),
  map: value(() => new Map([['a', 1]])),
  'typed array': value(() => new Uint8Array([1, 2, 3])),
  'own JSON': value(() => ({ toJSON: () => ({ mine: 1 }) })),
  'no JSON': value(() => ({ toJSON: () => undefined })),
  'cyclic or big': value(() => ({ a: 10n }), false),
  bytes: { ...value(() => Buffer.from([0, 255, 128, 10])), bytes: true },
  'typed bytes': {
    kept: true,
    bytes: true,
    decorators: [Header('Content-Type', 'image/png'), Header('Content-Disposition', 'attachment; filename="a.png"')],
    run: () => Buffer.from([137, 80, 78, 71]),
  },
  xml: { kept: true, decorators: [Header('Content-Type', 'application/xml')], run: () => '<a/>' },
  'no content': { kept: true, decorators: [HttpCode(204)], run: () => undefined },
  'content of 204': { kept: true, decorators: [HttpCode(204)], run: () => ({ never: 'sent' }) },
  'partial content': { kept: false, decorators: [HttpCode(206)], run: () => 'part' },
  accepted: { kept: false, decorators: [HttpCode(202)], run: () => ({ accepted: 1 }) },
  'fields by decorators': {
    kept: true,
    decorators: [Header('Cache-Control', 'max-age=60'), Header('X-H', 'y'), Header('X-Made', () => 'made')],
    run: () => ({ a: 1 }),
  },
  fields: { kept: true, ...say({ 'X-A': 'b', Link: '<a>; rel="x"', 'Content-Language': 'en' }, { a: 1 }) },
  'repeated fields': {
    kept: true,
    response: 'passthrough',
    run: (_, res) => (res.append('Warning', '1').append('Warning', '2').setHeader('X-List', ['a', 'b']), { a: 1 }),
  },
  'removed fields': {
    kept: true,
    decorators: [Header('X-Gone', 'no')],
    response: 'passthrough',
    run: (_, res) => (res.removeHeader('X-Gone'), res.removeHeader('Referrer-Policy'), { a: 1 }),
  },
  'a reason': { kept: true, response: 'passthrough', run: (_, res) => ((res.statusMessage = 'Fine'), { a: 1 }) },
  'a tag of its own': {
    kept: true,
    ...say({ ETag: 'W/"v1"', 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' }, { a: 1 }),
  },
  'not found': { kept: true, ...say({}, { a: 1 }, 404) },
  'not found, as text': { kept: true, ...say({}, 'nothing here', 404) },
  'a body of an error': { kept: false, ...say({ 'Content-Type': 'text/plain' }, { statusCode: 404 }, 404) },
  'an error as value': { kept: false, ...say({}, new Error('secret'), 500) },
  unavailable: { kept: false, ...say({ 'Retry-After': '3' }, { a: 1 }, 503) },
  'too many': { kept: false, ...say({ 'Retry-After': '3', 'Cache-Control': 'max-age=60' }, { a: 1 }, 429) },
  unauthorized: { kept: false, ...say({ 'WWW-Authenticate': 'Basic' }, { a: 1 }, 401) },
  thrown: {
    kept: false,
    response: 'passthrough',
    run: (_, res) => {
      res.set({ 'Cache-Control': 'max-age=60', 'X-A': 'b' });
      throw new NotFoundException('nothing');
    },
  },
  'thrown by an observable': value(() => throwError(() => new NotFoundException('nothing')), false),
  forgiven: {
    kept: false,
    decorators: [UseFilters(Forgiving)],
    run: () => {
      throw new BadRequestException();
    },
  },
  'a refused field': { kept: false, response: 'passthrough', run: (_, res) => (res.set('X-A', 'a\nb'), { a: 1 }) },
  cookie: { kept: false, response: 'passthrough', run: (_, res) => (res.cookie('a', 'b'), { a: 1 }) },
  'no store': { kept: false, decorators: [Header('Cache-Control', 'no-store')], run: () => ({ a: 1 }) },
  private: { kept: false, decorators: [Header('Cache-Control', 'private, max-age=60')], run: () => ({ a: 1 }) },
  varying: { kept: true, ...say({ Vary: 'Accept-Language' }, { a: 1 }) },
  'of a class': value(() => new User()),
  'of classes': value(() => [new User(), new User()]),
  'serialised by the route': {
    kept: true,
    decorators: [UseInterceptors(ClassSerializerInterceptor)],
    run: () => new User(),
  },
  wrapped: value(() => ({ a: 1 })),
  'wrapped text': value(() => 'text'),
  'wrapped user': value(() => new User()),
  'wrapped by the route': { kept: true, decorators: [UseInterceptors(Envelope)], run: () => 'text' },
  'a stream': value(() => new StreamableFile(Buffer.from('streamed'), { type: 'text/plain' }), false),
  'a generator': value(() => generator(), false),
  'a readable': value(() => Readable.from(['a', 'b']), false),
  'a web response': value(() => new globalThis.Response('web', { status: 203, headers: { 'X-Web': '1' } }), false),
  'sent by itself': { kept: false, response: 'own', run: (_, res) => void res.status(202).json({ a: 1 }) },
  'sent later': { kept: false, response: 'own', run: (_, res) => void setTimeout(() => res.json({ a: 1 }), 20) },
  'a pipe': { kept: false, response: 'own', run: (_, res) => void Readable.from(['a', 'b', 'c']).pipe(res) },
  'sent though it need not': {
    kept: false,
    response: 'passthrough',
    run: (_, res) => void res.status(203).send('sent'),
  },
  'a redirection by itself': { kept: false, response: 'own', run: (_, res) => res.redirect(302, '/elsewhere') },
  'a redirection': { kept: false, decorators: [Redirect('/elsewhere', 301)], run: () => undefined },
  'a redirection to what is returned': {
    kept: false,
    decorators: [Redirect('/elsewhere', 302)],
    run: () => ({ url: '/somewhere', statusCode: 307 }),
  },
  'a redirection by status': { kept: true, ...say({ Location: '/elsewhere' }, undefined, 308) },
  'a view': { kept: false, decorators: [Render('view')], run: () => ({ message: 'hello' }) },
  events: { kept: false, route: (path) => Sse(path), run: () => of({ data: 'a' }, { data: { b: 1 } }) },
  'by method': { kept: true, run: (req) => (req.method === 'HEAD' ? undefined : { method: req.method }) },
  'any method': { kept: true, route: (path) => All(path), run: (req) => ({ url: req.originalUrl.split('/').length }) },
};

async function* generator() {
  yield await Promise.resolve('one ');
  yield 'two';
}

/** How often each handler has run, by set-up and path. */
export type Runs = Map<string, number>;

/** The routes `/kept/…` and `/bare/…`. */
export function kindsModule(runs: Runs): Type {
  class Kept {}
  class Bare {}
  for (const [name, { decorators = [], response, route = Get, run }] of Object.entries(kinds)) {
    for (const { prototype } of [Kept, Bare]) {
      const path = pathOf(name);
      const handler = (req: Request, res: Response) => {
        runs.set(path, (runs.get(path) ?? 0) + 1);
        return run(req, res);
      };
      Object.defineProperty(prototype, path, { value: handler, writable: true, configurable: true });
      const descriptor = Object.getOwnPropertyDescriptor(prototype, path)!;
      Req()(prototype, path, 0);
      if (response) Res({ passthrough: response === 'passthrough' })(prototype, path, 1);
      const cached =
        prototype === Kept.prototype ? [CacheResponse({ key: keyOf(path), ttlMs: 60_000, fastLane: true })] : [];
      applyDecorators(route(path), ...decorators, ...cached)(prototype, path, descriptor);
    }
  }
  Controller({ path: 'kept', version: ['1'] })(Kept);
  Controller({ path: 'bare', version: ['1'] })(Bare);
  class KindsModule {}
  Module({ controllers: [Kept, Bare, Heads] })(KindsModule);
  return KindsModule;
}

export const pathOf = (name: string): string => name.replaceAll(/\W+/g, '-');
const keyOf = (path: string) => () => `/kept/${path}`;

/** A handler for HEAD beside the one for GET. */
@Controller({ path: 'heads', version: ['1'] })
class Heads {
  @Head('pair')
  @CacheResponse({ ttlMs: 60_000 })
  head(@Res({ passthrough: true }) res: Response): undefined {
    res.set('X-Of', 'head');
  }

  @Get('pair')
  @CacheResponse({ ttlMs: 60_000 })
  get(): object {
    return { of: 'get' };
  }
}
