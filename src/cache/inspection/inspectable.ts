import { Injectable } from '@nestjs/common';
import { type Tag } from '../core/tags.js';
import { type Address } from '../levels/level.js';

/** A row as the database has it now. */
export interface CurrentRow {
  readonly version: number;
  /** Wall clock of the database, in ms. */
  readonly changedAtMs: number;
  /** The lists that a change of it makes invalid. */
  readonly lists: readonly Tag[];
}

/** Something that an operator can point at: where each layer keeps it, and what makes it invalid. */
export interface Subject {
  readonly entity: string;
  /** Key of its response in the api layer: the canonical path. */
  readonly path: string;
  /** Where the db layer keeps it. */
  readonly address: Exclude<Address, { kind: 'response' }>;
  /** What is invalidated where the subject is to be. */
  readonly tag: Tag;
  /** Of rows: null where there is no such row. */
  readonly current?: () => Promise<CurrentRow | null>;
}

/** What a domain offers to operators. A port: the domain knows which of its things a key names. */
export abstract class Inspectable {
  /** Undefined: the key names nothing of this domain. */
  abstract subjectOf(key: string): Subject | undefined;

  /** Keys of the rows that were changed last: where something old would be found first. */
  abstract changedLately(limit: number): Promise<string[]>;
}

/** Everything that can be inspected. Domains add themselves. */
@Injectable()
export class Inspectables {
  readonly #all: Inspectable[] = [];

  add(inspectable: Inspectable): void {
    this.#all.push(inspectable);
  }

  subjectOf(key: string): Subject | undefined {
    for (const inspectable of this.#all) {
      const subject = inspectable.subjectOf(key);
      if (subject) return subject;
    }
    return undefined;
  }

  async changedLately(limit: number): Promise<string[]> {
    return (await Promise.all(this.#all.map((inspectable) => inspectable.changedLately(limit)))).flat();
  }
}
