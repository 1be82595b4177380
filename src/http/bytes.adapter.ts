import { ExpressAdapter } from '@nestjs/platform-express';
import { type Response } from 'express';

/** Express, except that a handler may answer with bytes: Nest's own adapter would print them as JSON. */
export class BytesAdapter extends ExpressAdapter {
  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    if (!Buffer.isBuffer(body)) return super.reply(response, body, statusCode) as unknown;
    if (statusCode !== undefined) response.status(statusCode);
    return response.send(body);
  }
}
