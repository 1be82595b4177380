import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Controller, Get, Next, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { unavailable } from '../http/index.js';
import { WarmingQueue } from './queue/warming-queue.js';

const path = '/admin/queues';
const paths = ['', '*path'];

/**
 * bull-board, the queue's page for people. A controller and no middleware, so that guards run before it, whatever the
 * order of the modules; it loads nothing from elsewhere that the content security policy would have to allow.
 */
@ApiExcludeController()
@Controller('admin/queues')
export class BoardController {
  readonly #board: Express | undefined;

  constructor(private readonly queue: WarmingQueue) {
    if (!queue.bull) return;
    const adapter = new ExpressAdapter().setBasePath(path);
    const options = { uiConfig: { boardTitle: 'Strata', hideRedisDetails: true } };
    createBullBoard({ queues: [new BullAdapter(queue.bull)], serverAdapter: adapter, options });
    const router = adapter.getRouter() as Express;
    this.#board = express().use(path, router);
    for (const app of [router, this.#board]) app.disable('x-powered-by');
  }

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
    if (!this.#board) throw unavailable('There is no warming queue: no Redis is configured.');
    if (!this.queue.available) throw unavailable('The warming queue is not available.');
    this.#board(req, res, next);
  }
}
