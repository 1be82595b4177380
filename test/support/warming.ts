import { type Response } from 'supertest';
import { type Batch, type RowId, type Walk, type WalkOptions, Warmer, Warmers } from '../../src/warming/index.js';
import { type TestApp } from './start-app.js';
import { until } from './until.js';

export const adminToken = 'the-token-of-the-tests';
/** Environment of a node whose admin routes can be asked. */
export const adminEnv = { ADMIN_TOKEN: adminToken };

export interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly progress: number;
  readonly warmed?: number;
  readonly alreadyCached?: number;
  readonly refused?: number;
  readonly attempts: number;
  readonly error?: string;
}

/** The warming routes of a node, as an operator calls them. */
export function warmingOf({ http }: TestApp) {
  const path = (id: string) => `/admin/warming/jobs/${id}`;
  const authorized = { type: 'bearer' } as const;
  const post = (body: object) => http.post('/admin/warming/jobs').auth(adminToken, authorized).send(body);
  const get = (id: string) => http.get(path(id)).auth(adminToken, authorized);
  const remove = (id: string) => http.delete(path(id)).auth(adminToken, authorized);
  const start = async (body: object): Promise<JobBody> => bodyOf(await post(body).expect(202));
  const find = async (id: string): Promise<JobBody> => bodyOf(await get(id).expect(200));
  /** Waits until the job is in that state. */
  const reaches = async (id: string, state: string, withinMs?: number): Promise<JobBody> => {
    let job: JobBody | undefined;
    // Where Redis has just been away, the route may not answer yet.
    await until(async () => (job = bodyOf(await get(id))).state === state, withinMs);
    return job!;
  };
  const done = async (body: object): Promise<JobBody> => reaches((await start(body)).id, 'completed');
  return { post, get, remove, start, find, reaches, done };
}

const bodyOf = ({ body }: Response): JobBody => body as JobBody;

/** Rows of test data: names, three categories, prices. */
export const insertItems = ({ dataSource }: TestApp, count: number): Promise<unknown> =>
  dataSource.transaction((manager) =>
    manager.query(
      `INSERT INTO items (name, category, price, quantity)
       SELECT 'item ' || n, 'category-' || n % 3, n, 1 FROM generate_series(1, $1::int) n`,
      [count],
    ),
  );

/** A warmer of nothing: each batch waits until the test lets it through. */
export class GatedWarmer extends Warmer {
  readonly entity = 'gated';
  /** The batches that were begun, in order. */
  readonly begun: number[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = false;

  constructor(private readonly batchCount: number) {
    super();
  }

  static on({ app }: TestApp, batchCount: number): GatedWarmer {
    const warmer = new GatedWarmer(batchCount);
    app.get(Warmers).add(warmer);
    return warmer;
  }

  override isId(id: RowId): boolean {
    return typeof id === 'number';
  }

  override walk(): Walk {
    return { count: () => Promise.resolve(this.batchCount), batches: (options) => this.#batches(options) };
  }

  /** Lets one batch through, the one that waits. */
  letThrough(): void {
    this.#waiting.shift()?.();
  }

  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  async *#batches({ after, limit }: WalkOptions): AsyncIterable<Batch> {
    const first = Number(after ?? 0) + 1;
    for (let n = first; n <= this.batchCount && n < first + limit; n += 1)
      yield { cursor: n, size: 1, warm: () => this.#warm(n) };
  }

  async #warm(n: number) {
    this.begun.push(n);
    if (!this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { warmed: 1, alreadyCached: 0, refused: 0 };
  }
}
