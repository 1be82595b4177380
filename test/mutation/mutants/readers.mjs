// @ts-check
import { scripted, simulated, spec } from '../catchers.mjs';

const l2 = 'src/cache/levels/l2/redis-level.ts';
const readThrough = 'src/cache/engine/read-through.ts';
const parts = 'src/cache/api/part-collector.ts';

/** Readers: what was made of several tags, single flights, responses. @type {import('../mutants.mjs').Mutant[]} */
export const readerMutants = [
  {
    name: 'derived-stamps',
    guard: 'a derived entry is a hit only if its stamps still hold',
    file: l2,
    find: "if (await this.verify(gen, entry.dependencies)) return { outcome: 'hit', entry };",
    replace: "return { outcome: 'hit', entry };",
    by: [simulated('strict')],
  },
  {
    name: 'derived-stamp-equal',
    guard: 'a derived entry has the very stamps that it was made under',
    file: l2,
    find: "stamp !== '' && stamps[i] === stamp);",
    replace: "stamp !== '' && stamps[i] !== '');",
    by: [simulated('strict')],
  },
  {
    name: 'derived-epoch',
    guard: 'the load of a list is not older than the epoch',
    file: l2,
    find: 'return snapshot.xmin >= epoch && tags.every(',
    replace: 'return tags.every(',
    by: [spec('cache/epochs.spec', 'of before its epoch')],
  },
  {
    name: 'derived-fences',
    guard: 'the load of a list has seen every recent writer',
    file: l2,
    find: ' && tags.every((tag) => provenFor(tag, snapshot));',
    replace: ';',
    by: [simulated('strict', { seed: 6 })],
  },
  {
    name: 'join',
    guard: 'a flight is not joined once its first command is sent',
    file: 'src/cache/engine/single-flight.ts',
    find: 'if (current.joinable) return this.#join(current);',
    replace: 'return this.#join(current);',
    by: [simulated('strict', { seed: 11 })],
  },
  {
    name: 'unproven-part',
    guard: 'a response with an unproven part is not kept',
    file: parts,
    find: 'if (!dependencies) return undefined;',
    replace: 'if (!dependencies) continue;',
    by: [simulated('strict')],
  },
  {
    name: 'parts-disagree',
    guard: 'a response whose parts saw two generations of a tag is not kept',
    file: parts,
    find: 'if ((stamps.get(tag) ?? stamp) !== stamp) return undefined;',
    replace: '',
    by: [simulated('strict', { seed: 38 })],
  },
  {
    name: 'absent-stamp',
    guard: 'an absent stamp serves nothing',
    file: l2,
    find: "every(({ stamp }, i) => stamp !== '' && stamps[i] === stamp);",
    replace: 'every(({ stamp }, i) => stamps[i] === stamp);',
    by: [spec('cache/fences.spec', 'an absent stamp serves nothing')],
  },
  {
    name: 'derived-unproven',
    guard: 'a list without a snapshot is not kept',
    file: l2,
    find: "if (address.kind === 'query' && !proven(tags, epoch, fill.snapshot)) return undefined;",
    replace: '',
    by: [simulated('strict', { seed: 6 })],
  },
  {
    name: 'departs-first',
    guard: 'a load of the db layer has departed before its first command is sent',
    file: readThrough,
    find: 'depart();\n      const confirmed = placeholder && (await this.#confirm(read, placeholder));\n      if (confirmed) return confirmed;\n      const found = await this.#readL2(read);',
    replace:
      'const confirmed = placeholder && (await this.#confirm(read, placeholder));\n      if (confirmed) return confirmed;\n      const found = await this.#readL2(read);\n      depart();',
    by: [scripted('not shared with who comes later, of a row')],
  },
  {
    name: 'response-departs-first',
    guard: 'a response has departed before its first command is sent',
    file: 'src/cache/api/response-cache.ts',
    find: "depart();\n        const usable = (found: Found) => isUsed(this.#judge(found, ask));\n        const confirmed = placeholder && !renew && (await this.levels.confirmed(ask, placeholder, usable));\n        if (confirmed) return this.#hit(ask, confirmed);\n        const search = await this.levels.inL2(ask, placeholder, renew && ask.route.reads === 'entities');",
    replace:
      "const usable = (found: Found) => isUsed(this.#judge(found, ask));\n        const confirmed = placeholder && !renew && (await this.levels.confirmed(ask, placeholder, usable));\n        if (confirmed) return this.#hit(ask, confirmed);\n        const search = await this.levels.inL2(ask, placeholder, renew && ask.route.reads === 'entities');\n        depart();",
    by: [scripted('not shared with who comes later, of a response')],
  },
];
