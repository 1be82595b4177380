import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Controller, Get, Next, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Queue } from 'bull';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { memoize, unavailable, Unlimited } from '../http/index.js';
import { WarmingQueue } from './queue/warming-queue.js';

const paths = ['', '*path'];

/**
 * bull-board, the queue's page for people. A controller and no middleware, so that guards run before it, whatever the
 * order of the modules; it loads nothing from elsewhere that the content security policy would have to allow.
 */
@ApiExcludeController()
@Unlimited('load')
@Controller('admin/queues')
export class BoardController {
  readonly #boardAt = memoize((path: string) => boardOf(this.queue.bull!, path), 16);

  constructor(private readonly queue: WarmingQueue) {}

  @Get(paths)
  read(@Req() req: Request, @Res() res: Response, @Next() next: NextFunction): void {
    this.#answer(req, res, next);
  }

  @Post(paths)
  add(@Req() req: Request, @Res() res: Response, @Next() next: NextFunction): void {
    this.#answer(req, res, next);
  }

  @Put(paths)
  act(@Req() req: Request, @Res() res: Response, @Next() next: NextFunction): void {
    this.#answer(req, res, next);
  }

  @Patch(paths)
  change(@Req() req: Request, @Res() res: Response, @Next() next: NextFunction): void {
    this.#answer(req, res, next);
  }

  /** @throws 503 */
  #answer(req: Request, res: Response, next: NextFunction): void {
    if (!this.queue.bull) throw unavailable('There is no warming queue: no Redis is configured.');
    if (!this.queue.available) throw unavailable('The warming queue is not available.');
    this.#boardAt(ownPath(req))(req, res, next);
  }
}

/** The path of this controller in a request: as many parts as its pattern has before `*path`. */
function ownPath({ path, route }: Request): string {
  const pattern = (route as { readonly path: string }).path.replace(/\/\*path$/, '');
  return path.split('/', pattern.split('/').length).join('/');
}

/** The page, whose links begin with the path that it is mounted on. */
function boardOf(queue: Queue, path: string): Express {
  const adapter = new ExpressAdapter().setBasePath(path);
  const options = { uiConfig: { boardTitle: 'Strata', hideRedisDetails: true } };
  createBullBoard({ queues: [new BullAdapter(queue)], serverAdapter: adapter, options });
  const router = adapter.getRouter() as Express;
  const literal = path.replace(/[{}()[\]+?!:*\\]/g, '\\$&');
  const board = express().use(literal, router);
  for (const app of [router, board]) app.disable('x-powered-by');
  return board;
}
