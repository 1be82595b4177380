// @ts-check
import { readFileSync } from 'node:fs';
import { compare, theoryOf } from '../analysis/order.mjs';
import { comparison, swatch } from './comparison.mjs';
import { counted, duration } from './format.mjs';
import { element, escape, section } from './markup.mjs';
import { words } from './policies.mjs';
import { costs, past, staleness } from './sections.mjs';
import { stories } from './stories.mjs';

/** @typedef {import('../main.mjs').Findings} Findings */

const style = readFileSync(new URL('./style.css', import.meta.url), 'utf8');

/** Where 1 % of the requests are sent later than this, they are not those of the script. */
const busyMs = 50;

/** One page with everything in it: no script, nothing from elsewhere. @param {Findings} findings */
export function page(findings) {
  const head = element('head', {}, [
    element('meta', { charset: 'utf-8' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('title', {}, 'Strata policy lab'),
    element('style', {}, style),
  ]);
  const body = element('body', {}, [
    header(findings),
    element('main', {}, [
      choice(findings),
      explanations(findings),
      staleness(findings),
      past(findings),
      costs(findings),
      ...stories(findings),
      method(findings),
    ]),
  ]);
  return `<!doctype html>\n${element('html', { lang: 'en' }, [head, body])}\n`;
}

/** @param {Findings} findings */
const header = ({ at, seed, results, acts }) =>
  element('header', {}, [
    element('h1', {}, 'Policy lab'),
    element(
      'p',
      {},
      `The same ${Math.round((acts.at(-1)?.untilMs ?? 0) / 1_000)} seconds, under ${results.length} cache policies: two nodes of the service, one Redis, one PostgreSQL, a few things that break. What did readers see?`,
    ),
    element('p', { class: 'small' }, `${escape(at.slice(0, 16).replace('T', ' '))} UTC, seed ${escape(seed)}`),
  ]);

/** @param {Findings} findings */
const choice = ({ results }) => section('choice', 'Which should I choose?', [verdict(results), comparison(results)]);

/** @param {Findings['results']} results */
function verdict(results) {
  const comparisons = compare(results);
  const failed = comparisons.filter(({ holds }) => !holds);
  const broken = results.filter((result) => result.verdict === 'broken');
  const busy = results.filter(({ delayMs }) => delayMs > busyMs).map(({ policy }) => policy);
  const oldest = results
    .map(({ policy, stale }) => `${policy} ${stale.reads === 0 ? 'none at all' : `up to ${duration(stale.worstMs)}`}`)
    .join(', ');
  const intro =
    failed.length === 0 ? 'The stronger the promise, the younger the oldest answer: ' : 'The oldest answers: ';
  return [
    element('p', { class: 'answer' }, [element('strong', {}, intro), `${escape(oldest)}.`]),
    ...(failed.length > 0
      ? [
          notice(
            'bad',
            `Not the order that the theory says (${theoryOf(results)}): ${failed.map(({ text }) => text).join(', ')} did not come out in this run.`,
          ),
        ]
      : comparisons.length > 0
        ? [notice('good', `The order is what the theory says: ${theoryOf(results)}.`)]
        : []),
    ...(busy.length > 0
      ? [
          notice(
            'warn',
            `The machine was busy with something else: requests were sent late under ${busy.join(', ')}, so that latencies, hit ratios and the feed’s lag say little here.`,
          ),
        ]
      : []),
    ...(broken.length > 0
      ? broken.map(({ policy, breaches }) =>
          notice(
            'bad',
            `${policy} broke its promise: ${breaches.map(({ what, count }) => `${what} (${count})`).join('; ')}.`,
          ),
        )
      : [notice('good', `${counted(results.length, 'policy', 'policies')}, and each kept what it promises.`)]),
  ].join('');
}

/** @param {'good' | 'warn' | 'bad'} tone @param {string} text */
const notice = (tone, text) => element('p', { class: `notice ${tone}` }, escape(text));

/** @param {Findings} findings */
function explanations({ results, settings }) {
  const texts = words(settings);
  return section('policies', 'The policies in three sentences', [
    element(
      'div',
      { class: 'policies' },
      results.map(({ policy }) =>
        element('article', { class: `policy ${policy}` }, [
          element('h3', {}, [swatch(policy), escape(policy)]),
          ...[texts[policy].write, texts[policy].reader, texts[policy].choose].map((text) =>
            element('p', {}, escape(text)),
          ),
        ]),
      ),
    ),
  ]);
}

/** @param {Findings} findings */
const method = ({ seed, settings, tookSeconds, results }) =>
  section('method', 'How this was measured', [
    element('p', {}, [
      `Every policy gets the same script, drawn from the seed: the same requests at the same moments, sent whether or not earlier ones were answered, and the same faults. Rows are chosen by Zipf’s law; right after each acknowledged write, somebody reads through the other node. An answer is old if it shows a version although a newer one had been acknowledged before the read began; how late it is counts from that acknowledgement. The clock is that of the client. Numbers of reads differ by the writes that failed, after which nobody looked: ${results.map(({ policy, reads, failedReads }) => `${escape(policy)} ${counted(reads, 'read')}${failedReads > 0 ? ` and ${failedReads} without an answer` : ''}`).join(', ')}.`,
    ]),
    element(
      'p',
      {},
      `TTL ${duration(settings.ttlMs)} ± ${Math.round(settings.jitter * 100)} %, stale window ${duration(settings.staleMs)} (not under strict), lease ${duration(settings.leaseMs)}, deadline of a Redis command ${duration(settings.redisTimeoutMs)}, change feed on; such short times so that everything ends in sight. The whole run took ${duration(tookSeconds * 1_000)}. The same script again:`,
    ),
    element('pre', {}, element('code', {}, `npm run lab -- --seed ${escape(seed)}`)),
  ]);
