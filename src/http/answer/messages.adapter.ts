import { ExpressAdapter } from '@nestjs/platform-express';
import { type Express } from 'express';
import { createServer } from 'node:http';
import { messagesOf } from './express-messages.js';
import { layersOf } from '../express-routes.js';
import { markSkippable, unmarkSkippable } from '../request/skippable.js';

/** Nest's adapter of Express, whose requests and responses are Express's own objects from the beginning (`messagesOf`). */
export class MessagesAdapter extends ExpressAdapter {
  /** Nest's own middleware, which does nothing but call the hooks. */
  readonly #hooks: object;

  constructor(app: Express) {
    super(app);
    this.#hooks = markSkippable(layersOf(app).at(-1)!.handle);
  }

  override setOnRequestHook(...hook: Parameters<ExpressAdapter['setOnRequestHook']>): void {
    unmarkSkippable(this.#hooks);
    super.setOnRequestHook(...hook);
  }

  override setOnResponseHook(...hook: Parameters<ExpressAdapter['setOnResponseHook']>): void {
    unmarkSkippable(this.#hooks);
    super.setOnResponseHook(...hook);
  }

  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    this.httpServer = createServer(messagesOf(app), app);
  }
}
