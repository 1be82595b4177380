// @ts-check
import { timelineChart, moment } from './charts/timeline.mjs';
import { swatch } from './comparison.mjs';
import { element, escape, section } from './markup.mjs';
import { reasonOf, stepsOf } from './steps.mjs';

/** @typedef {import('../main.mjs').Findings} Findings */

const sizes = /** @type {const} */ ([
  { name: 'wide', width: 500 },
  { name: 'narrow', width: 346 },
]);

/** The same moment under three policies. @param {Findings} findings */
export function stories({ results, settings }) {
  const of = (/** @type {string} */ name) => results.find(({ policy }) => policy === name);
  const told = [of('ttl'), of('invalidate') ?? of('write-through'), of('strict')].filter(
    (result) => result !== undefined,
  );
  if (told.length === 0) return [];
  const articles = told.map(({ policy, story }) => {
    const heading = element('h3', { id: `story-${policy}` }, [swatch(policy), escape(policy)]);
    if (!story)
      return article(policy, [
        heading,
        element('p', {}, 'There is nothing to tell: the write was not acknowledged in this run.'),
      ]);
    const steps = stepsOf(story, policy);
    const reason = reasonOf(story, policy, settings);
    const chart = { id: `timeline-${policy}`, title: `One write under ${policy}, step by step`, says: reason, steps };
    return article(policy, [
      heading,
      element(
        'div',
        { class: 'chart' },
        sizes.map((size) => timelineChart({ ...chart, ...story, size })),
      ),
      element('div', { class: 'telling' }, [
        element(
          'ol',
          { class: 'steps' },
          steps.map(({ atMs, tone, text }) =>
            element('li', { class: tone }, [element('span', { class: 'moment' }, moment(atMs)), ' ', escape(text)]),
          ),
        ),
        element('p', { class: 'reason' }, escape(reason)),
      ]),
    ]);
  });
  return [
    section('stories', 'One write, step by step', [
      element(
        'p',
        {},
        'In the act “cut off”, node 2 no longer reaches Redis. At that moment a row is written through node 1, and read through both nodes all the time. Times count from the acknowledgement of the write; they were measured, not made up. Follow the numbers.',
      ),
      ...articles,
    ]),
  ];
}

/** @param {string} policy @param {readonly string[]} children */
const article = (policy, children) =>
  element('article', { class: `story ${policy}`, 'aria-labelledby': `story-${policy}` }, children);
