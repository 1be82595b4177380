import { Injectable } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { AnswerDurations } from '../../../http/index.js';
import { responseAddress } from '../../engine/addresses.js';
import { MemoryLevel } from '../../levels/l1/memory-level.js';
import { bornAtMs } from '../candidate.js';
import { type Chosen } from '../representations.js';
import { deserialise, type StoredResponse } from '../stored-response.js';
import { HeaderCapture } from './header-capture.js';
import { isKnownField, type LaneRefusal } from './known-headers.js';
import { type LaneRequest } from './lane-request.js';
import { RecordedAnswer } from './recorded-answer.js';
import { RecordedAnswers } from './recorded-answers.js';
import { UrlTable } from './url-table.js';

/** Longer URLs are read by their route each time. */
const maxUrlLength = 2_048;

/** An answer of the api layer out of L1 that is about to be sent. */
export interface Sending {
  readonly key: string;
  readonly stored: StoredResponse;
  readonly chosen: Chosen;
}

/**
 * Listens to answers that Nest gives out of L1, and hangs what was sent on the very entry that it was made of. It composes
 * nothing: what the fast lane says has been said before, by the route itself, to a request that asked the same.
 */
@Injectable()
export class Recorder {
  readonly #byUrl = new UrlTable<RecordedAnswers>();
  readonly #headers = new HeaderCapture();
  /** By route: what spoke against its last answer. */
  readonly #refusals = new Map<string, LaneRefusal>();

  constructor(
    private readonly l1: MemoryLevel,
    private readonly durations: AnswerDurations,
  ) {}

  /** @param url as it was sent */
  answersTo(url: string): RecordedAnswers | undefined {
    return url.length > maxUrlLength ? undefined : this.#byUrl.get(url);
  }

  /**
   * @param laneRequest what the lane would read of the request
   * @returns what kept the last answer of the route from being recorded, and will keep this one
   */
  listen(req: Request, res: Response, laneRequest: LaneRequest, sending: Sending): LaneRefusal | undefined {
    if (!sending.chosen.settled) return undefined;
    res.once('finish', () => this.#record(req, res, laneRequest, sending));
    return res.getHeaderNames().every(isKnownField) ? this.#refusals.get(routeOf(req)) : 'field';
  }

  #record(req: Request, res: Response, { preference }: LaneRequest, { key, stored, chosen }: Sending): void {
    const route = routeOf(req);
    const { statusCode: status } = res;
    if (status !== 200 && status !== 304) return;
    const fields = this.#headers.capture(route, res);
    if (!fields) return;
    const body = status === 304 ? undefined : Buffer.from(chosen.body);
    if (fields === 'field') return void this.#refusals.set(route, fields);
    if (!describes(res, chosen, body)) return void this.#refusals.set(route, 'changed');
    this.#refusals.delete(route);
    const entry = this.l1.held(responseAddress(key).key);
    if (!entry || !isOf(entry.body, stored)) return;
    const answers = (entry.attachment as RecordedAnswers | undefined) ?? new RecordedAnswers(entry, this.#byUrl);
    const durations = {
      GET: this.durations.series({ route, method: 'GET', status }, 'lane'),
      HEAD: this.durations.series({ route, method: 'HEAD', status }, 'lane'),
    };
    const { etag } = chosen;
    const answer = new RecordedAnswer({
      status,
      fields,
      body,
      etag,
      bornAtMs: bornAtMs(stored),
      durations,
      preference,
    });
    answers.add(answer);
    const { originalUrl } = req;
    if (originalUrl.startsWith('/') && originalUrl.length <= maxUrlLength) answers.isAskedAs(originalUrl);
    if (!this.l1.attach(entry, answers)) answers.gone();
  }
}

/** The pattern of a route, of which there are few. */
const routeOf = (req: Request): string => String((req.route as { readonly path: unknown }).path);

/** Whether what was sent is what was chosen: nobody on the way has put another body or another tag in its place. */
function describes(res: Response, { etag, encoding }: Chosen, body: Buffer | undefined): boolean {
  if (res.getHeader('ETag') !== etag || res.getHeader('Age') === undefined) return false;
  if (!String(res.getHeader('Cache-Status')).startsWith('strata-api; hit;')) return false;
  if (!body) return true;
  const isJson = String(res.getHeader('Content-Type')).startsWith('application/json');
  const coded = (res.getHeader('Content-Encoding') ?? 'identity') === encoding;
  return isJson && coded && Number(res.getHeader('Content-Length')) === body.length;
}

/** The entry may have been replaced while the answer was on its way. */
function isOf(body: string, { etag, madeAtMs }: StoredResponse): boolean {
  const kept = deserialise(body);
  return kept.etag === etag && kept.madeAtMs === madeAtMs;
}
