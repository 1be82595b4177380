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

export interface Durations {
  /** Per bucket, not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

/** Answers of one kind: how many took how long. Counting one costs a comparison and two additions. */
export class DurationSeries implements Durations {
  readonly counts: number[] = new Array<number>(durationBuckets.length + 1).fill(0);
  sumSeconds = 0;

  constructor(readonly labels: AnswerLabels) {}

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < durationBuckets.length && seconds > durationBuckets[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sumSeconds += seconds;
  }

  plus({ counts, sumSeconds }: Durations): this {
    for (const [bucket, count] of counts.entries()) this.counts[bucket]! += count;
    this.sumSeconds += sumSeconds;
    return this;
  }
}

/** How long this application's answers took, whoever gave them. Whoever shows the numbers reads them here. */
@Injectable()
export class AnswerDurations {
  readonly #byOrigin = new Map<string, Map<string, DurationSeries>>();

  /**
   * Labels and origins come from closed sets: the routes, methods and statuses that there are.
   * @param origin where the answer came from, in the words of whoever measures
   */
  series(labels: AnswerLabels, origin = 'other'): DurationSeries {
    let all = this.#byOrigin.get(origin);
    if (!all) this.#byOrigin.set(origin, (all = new Map<string, DurationSeries>()));
    const name = nameOf(labels);
    let series = all.get(name);
    if (!series) all.set(name, (series = new DurationSeries(labels)));
    return series;
  }

  /** Those of which there was an answer, whatever its origin. */
  all(): readonly DurationSeries[] {
    const sums = new Map<string, DurationSeries>();
    for (const series of this.#answered()) {
      const name = nameOf(series.labels);
      sums.set(name, (sums.get(name) ?? new DurationSeries(series.labels)).plus(series));
    }
    return [...sums.values()];
  }

  /** The answers of all routes, by origin. */
  byOrigin(): Readonly<Record<string, Durations>> {
    return Object.fromEntries(
      [...this.#byOrigin].map(([origin, all]) => {
        const sum = new DurationSeries({ route: '', method: '', status: 0 });
        for (const series of all.values()) sum.plus(series);
        return [origin, { counts: sum.counts, sumSeconds: sum.sumSeconds }];
      }),
    );
  }

  #answered(): DurationSeries[] {
    const every = [...this.#byOrigin.values()].flatMap((all) => [...all.values()]);
    return every.filter(({ counts }) => counts.some((count) => count > 0));
  }
}

const nameOf = ({ method, route, status }: AnswerLabels): string => `${method} ${route} ${status}`;
