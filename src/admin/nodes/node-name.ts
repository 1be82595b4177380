import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import { type Server } from 'node:http';
import { hostname } from 'node:os';
import { workerName } from '../../workers/index.js';

/** What operators call this node, and what tells it apart from every other one. */
@Injectable()
export class NodeName {
  readonly id = randomUUID();

  constructor(private readonly host: HttpAdapterHost) {}

  /** Host, port and worker; no port before the server listens. */
  get text(): string {
    const address = (this.host.httpAdapter.getHttpServer() as Server).address();
    const port = typeof address === 'object' && address ? `:${address.port}` : '';
    const worker = workerName();
    return `${hostname()}${port}${worker === undefined ? '' : `#${worker}`}`;
  }
}
