import { apart } from '../../lab/report/charts/lines.mjs';
import { page } from '../../lab/report/page.mjs';
import { reasonOf, stepsOf } from '../../lab/report/steps.mjs';
import { findingsOf, resultOf } from './made-up.js';

const policies = ['ttl', 'invalidate', 'write-through', 'strict'] as const;
/** `ttl` is staler than what the made-up history shows, as the theory wants it. */
const results = policies.map((policy) =>
  resultOf(policy, policy === 'ttl' ? { stale: { reads: 9, worstMs: 5_000 } } : {}),
);
const findings = findingsOf(results);

/** Reads markup as strictly as XML wants it: every element closed in its turn, every attribute quoted, nothing unescaped. */
function elementsOf(markup: string): { readonly name: string; readonly attributes: ReadonlyMap<string, string> }[] {
  const found = [];
  const open: string[] = [];
  const token = /<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/g;
  for (const [, closing, name = '', attributes = '', empty, text, stray] of markup.matchAll(token)) {
    if (stray) throw new Error(`a stray < in ${open.join(' ')}`);
    if (text !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`a stray & in ${text}`);
    } else if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
    } else {
      if (!empty) open.push(name);
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!] as const);
      found.push({ name, attributes: new Map(pairs) });
    }
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} not closed`);
  return found;
}

describe('the report', () => {
  const text = page(findings);
  const elements = elementsOf(text.replace('<!doctype html>', ''));
  const named = (name: string) => elements.filter((element) => element.name === name);

  it('is well-formed, with text as text', () => {
    expect(text.startsWith('<!doctype html>')).toBe(true);
    expect(text.includes('seed &lt;7&gt;')).toBe(true);
    expect(() => elementsOf('<p>a <b>b</p></b>')).toThrow('closes another');
    expect(() => elementsOf('<p title=a>b</p>')).toThrow('stray <');
    expect(() => elementsOf('<p>a & b</p>')).toThrow('stray &');
  });

  it('needs nothing else: no script, no address but its namespace', () => {
    expect(named('script')).toEqual([]);
    expect(elements.filter(({ attributes }) => attributes.has('src') || attributes.has('href'))).toEqual([]);
    expect(text.replaceAll('xmlns="http://www.w3.org/2000/svg"', '').match(/https?:|url\(|@import/g)).toBeNull();
    expect(
      elements.flatMap(({ attributes }) => [...attributes.keys()]).filter((key) => /^on|^style$/.test(key)),
    ).toEqual([]);
  });

  it('has each id once, and whatever is referred to', () => {
    const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const referred = elements.flatMap(({ attributes }) => attributes.get('aria-labelledby')?.split(' ') ?? []);
    expect(referred.length).toBeGreaterThan(10);
    expect(referred.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('tells every picture, or hides it, and has a table for each chart', () => {
    const pictures = named('svg').filter(({ attributes }) => attributes.get('aria-hidden') !== 'true');
    expect(
      pictures.every(({ attributes }) => attributes.get('role') === 'img' && attributes.has('aria-labelledby')),
    ).toBe(true);
    // Two of how old, three of what it costs, three stories; each for wide and for narrow screens.
    expect(pictures).toHaveLength(2 * (2 + 3 + 3));
    expect(named('details')).toHaveLength(5);
  });

  it('draws no number that is none', () => {
    expect(text.match(/NaN|Infinity|undefined|null/g)).toBeNull();
  });

  it('says so where the order did not come out, or a promise was broken', () => {
    expect(text.includes('The order is what the theory says')).toBe(true);
    const broken = resultOf('strict', {
      ...{ stale: { reads: 2, worstMs: 30 }, verdict: 'broken', breaches: [{ what: 'stale reads', count: 2 }] },
    });
    const other = page(findingsOf([...results.slice(0, 3), broken]));
    expect(other.includes('Not the order that the theory says')).toBe(true);
    expect(other.includes('strict broke its promise: stale reads (2)')).toBe(true);
    expect(() => elementsOf(other.replace('<!doctype html>', ''))).not.toThrow();
  });

  it('can be made of a single policy, and without a story', () => {
    const { story, ...alone } = resultOf('ttl');
    expect(story).toBeDefined();
    const made = page(findingsOf([{ ...alone, story: undefined }]));
    expect(() => elementsOf(made.replace('<!doctype html>', ''))).not.toThrow();
    expect(made.includes('There is nothing to tell')).toBe(true);
  });
});

describe('the story of the witness', () => {
  const told = (policy: (typeof policies)[number]) => {
    const { story } = resultOf(policy);
    return {
      steps: stepsOf(story!, policy).map(({ atMs, from, to, tone }) => [atMs, `${from} > ${to ?? ''}`, tone]),
      reason: reasonOf(story!, policy, findings.settings),
    };
  };

  it('under invalidate: acknowledged, not heard, old from memory, then right', () => {
    const { steps, reason } = told('invalidate');
    expect(steps).toEqual([
      [-160, 'node 2 > client', 'old'],
      [-110, 'node 2 > ', 'fault'],
      [-10, 'client > node 1', 'plain'],
      [-5, 'node 1 > database', 'new'],
      [-2, 'node 1 > Redis', 'plain'],
      [0, 'node 1 > client', 'new'],
      [20, 'node 2 > client', 'old'],
      [30, 'node 1 > client', 'new'],
      [200, 'node 2 > client', 'old'],
      [390, 'node 2 > client', 'new'],
      [590, 'node 2 > Redis', 'plain'],
    ]);
    expect(reason).toContain('200 ms late; a lease and a deadline, 600 ms, are allowed');
  });

  it('under ttl: nobody is told', () => {
    const { steps, reason } = told('ttl');
    expect(steps.map(([, who]) => who)).not.toContain('node 1 > Redis');
    expect(reason).toContain('6.4 s are allowed');
  });

  it('under strict: why it did not happen', () => {
    const { steps, reason } = told('strict');
    expect(steps.filter(([atMs, , tone]) => tone === 'old' && (atMs as number) > 0)).toEqual([]);
    expect(reason).toContain('Why it did not happen');
    const story = { ...resultOf('ttl').story! };
    expect(reasonOf(story, 'strict', findings.settings)).toContain('breaks the promise');
  });
});

it('labels that would overlap are moved apart, within their bounds', () => {
  const labels = [{ y: 50 }, { y: 52 }, { y: 200 }, { y: 199 }];
  const moved = apart(labels, 0, 200).map(({ y }) => y);
  expect(moved).toEqual([50, 67, 183, 200]);
});
