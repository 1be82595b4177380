import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Settings } from '../../../config/index.js';
import { type PolicyName, weakest, weakestOf } from '../../../policies/index.js';
import { prependRequestHandler } from '../../../http/index.js';
import { Clock } from '../../clock.js';
import { MemoryLevel } from '../../levels/l1/memory-level.js';
import { PolicySource, sharesL1 } from '../../policy-source.js';
import { FreeRoutes, type Hit } from './free-routes.js';
import { Heads } from './heads.js';
import { type LaneRefusal } from './known-headers.js';
import { LaneTally } from './lane-tally.js';
import { laneRequestOf } from './lane-request.js';
import { type RecordedAnswers } from './recorded-answers.js';
import { Recorder, type Sending } from './recorder.js';

/**
 * Answers hits of L1 at the server, before Express is entered: a recorded answer of the same URL, to a request that asks
 * nothing else, of an entry that L1 itself would serve now. Whatever is not certain is Nest's to answer.
 */
@Injectable()
export class FastLane implements OnApplicationBootstrap, OnApplicationShutdown {
  #server: Server | undefined;
  #leave: (() => void) | undefined;
  readonly #heads = new Heads();

  constructor(
    private readonly settings: Settings,
    private readonly host: HttpAdapterHost,
    private readonly l1: MemoryLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly recorder: Recorder,
    private readonly routes: FreeRoutes,
    private readonly tally: LaneTally,
  ) {}

  /** After every module has put its own listeners before Express: the lane is in front of them all. */
  onApplicationBootstrap(): void {
    const { cacheFastLane, cacheApi, cacheL1 } = this.settings;
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    if (!cacheFastLane || !cacheApi || !cacheL1 || !server) return;
    this.#server = server;
    this.#leave = prependRequestHandler(server, (req, res) => this.#answers(req, res));
    this.tally.begin();
  }

  onApplicationShutdown(): void {
    if (!this.#leave) return;
    this.#leave();
    this.#leave = undefined;
    this.tally.end();
  }

  /**
   * A hit that Nest answers: it is recorded, unless the lane could not have answered this request.
   * @param sending or why it is no answer for the lane
   * @returns why the lane cannot answer the same request next time
   */
  learn(hit: Hit, sending: Sending | LaneRefusal): LaneRefusal | undefined {
    if (!this.#leave) return undefined;
    if (typeof sending === 'string') return sending;
    const http = hit.context.switchToHttp();
    const req = http.getRequest<Request>();
    const laneRequest = this.routes.obstacleOf(hit) ?? laneRequestOf(req);
    if (typeof laneRequest === 'string') return laneRequest;
    return this.recorder.listen(req, http.getResponse<Response>(), laneRequest, sending);
  }

  #answers(req: IncomingMessage, res: ServerResponse): boolean {
    // The clocks are a good part of what a hit costs: they are read once, and once more when it has been given. Before the
    // memory is: a processor that reads a clock waits for all that it is reading, and what it reads next it reads at once.
    const now = this.clock.now();
    const answers = this.recorder.answersTo(req.url!);
    if (!answers || !this.#server!.listening) return false;
    if (!this.l1.serves(answers, now) || !this.#mayShare(answers)) return false;
    const laneRequest = laneRequestOf(req);
    if (typeof laneRequest === 'string') return false;
    const answer = answers.answerTo(laneRequest);
    if (!answer) return false;
    const method = req.method as 'GET' | 'HEAD';
    const ttlMs = answers.freshUntilMs - now.monotonicMs;
    answer.write(this.#heads, res, method, { wallMs: now.wallMs, ttlMs, policy: this.#policyOf(answers) });
    this.tally.count();
    answer.durationsOf(method).observe((this.clock.monotonicMs() - now.monotonicMs) / 1000);
    return true;
  }

  /** As the policies are this moment: a switch takes effect on the next request. */
  #mayShare({ entities }: RecordedAnswers): boolean {
    for (const entity of entities) if (!sharesL1(this.policySource.rulesOf(entity), this.settings)) return false;
    return true;
  }

  #policyOf({ entities }: RecordedAnswers): PolicyName {
    const [first] = entities;
    if (first !== undefined && entities.length === 1) return this.policySource.policyOf(first);
    return weakestOf(entities.map((entity) => this.policySource.policyOf(entity))) ?? weakest;
  }
}
