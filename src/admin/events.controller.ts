import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Request, type Response } from 'express';
import { Produces, QueryNames, Unlimited } from '../http/index.js';
import { AdminRoute } from './admin.docs.js';
import { LiveEvents } from './events/live-events.service.js';

@ApiTags('admin')
@Unlimited('load')
@Controller('admin/events')
@Produces('text/event-stream')
@QueryNames()
export class EventsController {
  constructor(private readonly events: LiveEvents) {}

  @Get()
  @AdminRoute(
    'Live events',
    'Server-sent events of this node: each `data` is one event as JSON, `type` says which. A client that is too slow ' +
      'loses events, and gets an event `dropped` with their `count`.',
    { 503: 'the service is shutting down, or too many listen' },
  )
  @ApiProduces('text/event-stream')
  @ApiResponse({
    status: 200,
    description: 'until the client leaves',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  listen(@Req() req: Request, @Res() res: Response): void {
    if (req.method === 'HEAD') res.type('text/event-stream').end();
    else this.events.connect(res);
  }
}
