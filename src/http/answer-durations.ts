import { Injectable } from '@nestjs/common';

/** Upper bounds in seconds; what takes longer is in the last, unbounded one. */
export const durationBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface AnswerLabels {
  /** The pattern of the route, never a path. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
}

/** Answers of one kind: how many took how long. Counting one costs a comparison and two additions. */
export class DurationSeries {
  /** Per bucket, not cumulative; one more than there are bounds. */
  readonly counts: number[] = new Array<number>(durationBuckets.length + 1).fill(0);
  sumSeconds = 0;

  constructor(readonly labels: AnswerLabels) {}

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < durationBuckets.length && seconds > durationBuckets[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sumSeconds += seconds;
  }
}

/** How long this application's answers took, whoever gave them. Whoever shows the numbers reads them here. */
@Injectable()
export class AnswerDurations {
  readonly #series = new Map<string, DurationSeries>();

  /** Labels come from closed sets: the routes, methods and statuses that there are. */
  series(labels: AnswerLabels): DurationSeries {
    const name = `${labels.method} ${labels.route} ${labels.status}`;
    let series = this.#series.get(name);
    if (!series) this.#series.set(name, (series = new DurationSeries(labels)));
    return series;
  }

  /** Those of which there was an answer. */
  all(): readonly DurationSeries[] {
    return [...this.#series.values()].filter(({ counts }) => counts.some((count) => count > 0));
  }
}
