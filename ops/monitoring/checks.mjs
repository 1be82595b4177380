// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { until } from '../containers/run.mjs';

/** @typedef {Awaited<ReturnType<typeof import('./world.mjs').openWorld>>} World */
/** @typedef {(world: World) => Promise<Record<string, string | number> | void>} Check */

const outage = 'StrataBreakerOpen';
/** Rates need a while of samples; a busy machine needs more. */
const settleMs = 60_000;

/** In this order: later ones use what earlier ones made. @type {Record<string, Check>} */
export const checks = {
  async 'Prometheus scrapes the node, and no rule has an error'({ prometheus }) {
    await soon('Prometheus is ready', () => prometheus.ready());
    await soon('the node is scraped', async () => (await prometheus.query('up == 1')).length === 1);
    await soon('every rule has run', async () =>
      (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
    );
    const rules = await prometheus.rules();
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    );
    return { rules: rules.length };
  },

  async 'every panel of the dashboard has something to show'({ prometheus }) {
    const panels = panelQueries();
    for (const { title, expr } of panels)
      await soon(`"${title}" shows something: ${expr}`, async () => (await prometheus.query(expr)).length > 0);
    return { queries: panels.length };
  },

  async 'a healthy node raises no alert'({ prometheus }) {
    assert.deepEqual(await firing(prometheus), []);
  },

  async 'stopping Redis raises the alert within its window'({ node, redis, prometheus }) {
    const { query, duration } = await ruleOf(prometheus, outage);
    const windowMs = duration * 1_000;
    const stoppedMs = performance.now();
    await redis.kill();
    await soon('its expression is true', async () => (await prometheus.query(query)).length > 0, windowMs);
    const trueMs = performance.now();
    await soon(`${outage} fires`, async () => (await firing(prometheus)).includes(outage), 2 * windowMs);
    const firedMs = performance.now();
    assert.ok(firedMs - stoppedMs >= windowMs - 1_000, 'it fired before its window was over');
    assert.equal((await fetch(new URL('/items/1', node))).status, 200);
    const seconds = (/** @type {number} */ ms) => Math.round((ms - stoppedMs) / 100) / 10;
    return { window: duration, expressionSeconds: seconds(trueMs), firingSeconds: seconds(firedMs) };
  },

  async 'the alert ends when Redis is back'({ redis, prometheus }) {
    await redis.restart();
    await soon('nothing fires', async () => (await firing(prometheus)).length === 0);
  },
};

/** @param {import('./world.mjs').Prometheus} prometheus */
async function firing(prometheus) {
  const rules = await prometheus.rules();
  return rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
}

/** @param {import('./world.mjs').Prometheus} prometheus @param {string} name */
async function ruleOf(prometheus, name) {
  const rule = (await prometheus.rules()).find((each) => each.name === name);
  assert.ok(rule, `there is no alert ${name}`);
  return rule;
}

/** With values where Grafana puts some. */
function panelQueries() {
  /** @type {{ panels: { title: string, targets?: { expr: string }[] }[] }} */
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'ops', 'grafana', 'dashboards', 'strata.json'), 'utf8'));
  const values = { $__rate_interval: '5s', $instance: '.+', $job: 'strata' };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expr: Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), expr),
    })),
  );
}

/** @param {string} what @param {() => Promise<boolean>} isSo @param {number} [timeoutMs] */
const soon = (what, isSo, timeoutMs = settleMs) =>
  until(async () => (await isSo()) || undefined, { what, timeoutMs, everyMs: 200 });
