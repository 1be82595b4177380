import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import { type Server } from 'node:http';
import { hostname } from 'node:os';

/** What operators call this node, and what tells it apart from every other one. */
@Injectable()
export class NodeName {
  readonly id = randomUUID();

  constructor(private readonly host: HttpAdapterHost) {}

  /** Host and port; no port before the server listens. */
  get text(): string {
    const address = (this.host.httpAdapter.getHttpServer() as Server).address();
    return typeof address === 'object' && address ? `${hostname()}:${address.port}` : hostname();
  }
}
