import { endOfGroup, endOfList, identifier, nameOf, type Token } from './sql-tokens.js';

/** By column: the numbers of the parameters that its value is one of. */
export type Keys = ReadonlyMap<string, readonly number[]>;

const nothing: Keys = new Map();

/** A WHERE clause: for which columns it names, by parameters, every value that a row may have. */
export class Condition {
  constructor(
    private readonly tokens: readonly Token[],
    private at: number,
  ) {}

  /** Where AND is no conjunction (CASE, BETWEEN), nothing is known. */
  whole(): Keys {
    const end = endOfList(this.tokens, this.at, (text) => text === 'returning');
    const plain = !this.tokens.slice(this.at, end).some((text) => text === 'case' || text === 'between');
    const keys = this.#either();
    return plain && this.at === end ? keys : nothing;
  }

  /** Alternatives joined by OR: a column is known if each of them knows it. */
  #either(): Keys {
    let keys = this.#both();
    while (this.tokens[this.at] === 'or') {
      this.at += 1;
      const other = this.#both();
      keys = new Map(
        [...keys].flatMap(([column, values]) =>
          other.has(column) ? [[column, [...values, ...other.get(column)!]] as const] : [],
        ),
      );
    }
    return keys;
  }

  /** Conditions joined by AND: one of them is enough. */
  #both(): Keys {
    let keys = this.#one();
    while (this.tokens[this.at] === 'and') {
      this.at += 1;
      keys = new Map([...this.#one(), ...keys]);
    }
    return keys;
  }

  #one(): Keys {
    const { at: from, tokens } = this;
    const end = endOfList(tokens, from, (text) => text === 'and' || text === 'or' || text === 'returning');
    if (tokens[from] === '(' && endOfGroup(tokens, from) === end) {
      this.at = from + 1;
      const keys = this.#either();
      const closed = this.at === end - 1;
      this.at = end;
      return closed ? keys : nothing;
    }
    this.at = end;
    return keysOf(tokens.slice(from, end));
  }
}

/** `column = $1`, `column IN ($1, $2)`; the column may be qualified. */
function keysOf(condition: readonly Token[]): Keys {
  const equals = condition.findIndex((text) => text === '=' || text === 'in');
  const column = condition[equals - 1];
  const qualified = condition
    .slice(0, Math.max(equals, 0))
    .every((text, i) => (i % 2 === 0 ? identifier.test(text) : text === '.'));
  if (column === undefined || !qualified) return nothing;
  const values = condition.slice(equals + 1);
  const list = condition[equals] === 'in' ? values.slice(1, -1).filter((text) => text !== ',') : values;
  if (list.length === 0 || (condition[equals] === '=' && list.length > 1)) return nothing;
  const numbers = list.map((text) => (/^\$\d+$/.test(text) ? Number(text.slice(1)) : Number.NaN));
  return numbers.some(Number.isNaN) ? nothing : new Map([[nameOf(column), numbers]]);
}
