import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type Locator } from 'playwright-core';
import { startApp } from '../support/start-app.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { until } from '../support/until.js';
import { startChromium } from './chromium.js';
import { keepBusy } from './traffic.js';
import { token, TwoNodes } from './two-nodes.js';
import { type Scheme, Visit, widths } from './visit.js';

/** A limit for what hangs: a browser and two nodes share what there is. */
const patientMs = 60_000;
jest.setTimeout(240_000);

const nodes = new TwoNodes();
let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

const textOf = async (locator: Locator): Promise<string> => (await locator.allInnerTexts()).join('\n');
const shows = (locator: Locator, text: string | RegExp) =>
  until(async () => new RegExp(text).test(await textOf(locator)), patientMs);
const drawnWidth = ({ page }: Visit) =>
  page.evaluate<number>("Math.max(200, document.querySelector('#flow').clientWidth)");
const dashboard = (width?: number, scheme?: Scheme) => Visit.open(browser, `${nodes.a.url}/dashboard`, width, scheme);

describe('an administrator', () => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await dashboard();
    await visit.signIn(token);
    // What the nodes tell is heard from now on: the column of the other node says so.
    await until(async () => {
      await nodes.write(900, 1);
      return /Dropped on .*Dropped on /s.test(await textOf(visit.page.locator('.timeline thead')));
    }, patientMs);
  });
  afterAll(() => visit.close());
  afterEach(() => expect(visit.faults).toEqual([]));

  const { click, tries } = {
    click: (name: string) => visit.page.getByRole('button', { name, exact: true }).click(),
    tries: () => visit.page.locator('#tries li').first(),
  };

  it('sees a read go to the database, and the next one come from L1', async () => {
    await visit.page.getByLabel('Item', { exact: true }).fill('321');
    await click('Read');
    await shows(tries(), 'Read: version 1');
    expect(await tries().locator('.gave').innerText()).toBe('PostgreSQL');
    await click('Read');
    await until(async () => (await tries().locator('.gave').innerText()) === 'api L1', patientMs);
    const rows = visit.page.locator('#flow-table tbody tr');
    await until(async () => !/\t0\/s\t/.test(await textOf(rows.first())), patientMs);
    expect(await rows.first().innerText()).toMatch(/^api L1/);
  });

  it('sees another client write through the other node, and both nodes drop what it changed', async () => {
    await nodes.write(322, 77);
    const row = visit.page.locator('.timeline tbody tr', { hasText: 'items:322' }).first();
    await row.waitFor({ timeout: patientMs });
    await shows(row, 'write');
    await until(async () => (await row.locator('.drop .took').count()) === 2, patientMs);
    for (const took of await row.locator('.drop .took').allInnerTexts()) expect(took).toMatch(/^(?:< 1|\d+) ms$/);
    await shows(row, new URL(nodes.b.url).port);
  });

  it('sees SQL from elsewhere come by the feed', async () => {
    await sqlFromElsewhere(nodes.a.databaseUrl, 'UPDATE items SET quantity = quantity + 1 WHERE id = 323');
    const row = visit.page.locator('.timeline tbody tr', { hasText: 'items:323' }).first();
    await row.waitFor({ timeout: patientMs });
    await shows(row, 'feed');
  });

  it('asks where an item is, in which version, and what depends on it', async () => {
    await nodes.a.http.get('/items/324').expect(200);
    await nodes.a.http.get('/items/324').expect(200);
    await visit.page.getByRole('textbox', { name: 'Key', exact: true }).fill('items:324');
    await click('Inspect');
    const sight = visit.page.locator('#sight');
    await shows(sight.locator('.place.api-l1'), 'version 1');
    await shows(sight.locator('.place.api-l1'), 'made here');
    await shows(sight.locator('.place.database'), 'version 1');
    await shows(sight.locator('.stamps'), 'items:324');
    await shows(sight.locator('.dependents'), 'response /items/324');
    await nodes.write(324, 5);
    await click('Inspect');
    await shows(sight.locator('.place.database'), 'version 2');
    await shows(sight.locator('.place.api-l1'), 'not here');
    await visit.page.getByRole('textbox', { name: 'Key', exact: true }).fill('nonsense');
    await click('Inspect');
    await shows(sight, 'names nothing that is cached');
    // Browsers say so themselves of every refusal.
    expect(visit.faults.splice(0)).toEqual([expect.stringContaining('400 (Bad Request)')]);
  });

  it('writes and invalidates by hand', async () => {
    await visit.page.getByLabel('Item', { exact: true }).fill('325');
    await click('Write');
    await shows(tries(), 'Written: version 2');
    await click('Invalidate');
    await shows(tries(), 'Invalidated');
    await visit.page.locator('.timeline tbody tr', { hasText: 'admin' }).first().waitFor({ timeout: patientMs });
  });

  it('watches a warming job until everything is warm', async () => {
    await visit.page.getByLabel('Strategy').selectOption('all');
    await click('Warm');
    const progress = visit.page.locator('#warm-progress');
    await until(
      async () => Number(await progress.getAttribute('value').then((value) => value ?? '0')) === 100,
      patientMs,
    );
    await shows(visit.page.locator('#warm-text'), 'completed, 100 %');
  });

  it('switches the policy, on both nodes', async () => {
    const policyOfB = async () =>
      (await nodes.b.http.get('/admin/cache/policies/items').auth(token, { type: 'bearer' })).body.policy as string;
    for (const policy of ['strict', 'write-through']) {
      await visit.page.locator('#policy-choices label', { hasText: new RegExp(`^${policy}$`) }).click();
      await shows(visit.page.locator('#guarantee'), 'A reader can rely on');
      await until(async () => (await policyOfB()) === policy, patientMs);
      await shows(visit.page.locator('#state li', { hasText: 'Policy' }), policy);
    }
  });

  it('stays signed in after a reload, until signing out', async () => {
    await visit.page.reload();
    await visit.page.getByRole('heading', { name: 'Invalidations' }).waitFor();
    await click('Sign out');
    await visit.page.getByLabel('Admin token').waitFor();
    expect(await visit.page.getByRole('heading', { name: 'Invalidations' }).isVisible()).toBe(false);
    await visit.signIn(token);
  });
});

describe('a visitor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-lab-'));
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => rmSync(folder, { recursive: true }));

  it('sees numbers, and is told why the rest is not there', async () => {
    const visit = await dashboard();
    await shows(visit.page.locator('#link'), 'live');
    await shows(visit.page.locator('#closed'), 'whoever has the admin token');
    await shows(visit.page.locator('#state'), 'valid');
    await visit.picture('visitor');
    expect(visit.faults).toEqual([]);
    await visit.page.getByLabel('Admin token').fill('not the token at all');
    await visit.page.getByRole('button', { name: 'Sign in' }).click();
    await shows(visit.page.locator('#sign-in-fault'), 'not the admin token');
    await visit.close();
  });

  it('is told how to get the rest where there is no admin token, and sees a node without Redis', async () => {
    const alone = await startApp();
    const visit = await Visit.open(browser, `${alone.url}/dashboard`);
    await shows(visit.page.locator('#closed'), 'set ADMIN_TOKEN');
    expect(await visit.page.getByLabel('Admin token').isVisible()).toBe(false);
    await shows(visit.page.locator('#state'), 'away');
    await visit.picture('alone');
    expect(visit.faults).toEqual([]);
    await visit.close();
    await alone.close();
  });

  it('comes by keyboard to everything, and sees where the focus is', async () => {
    const visit = await dashboard();
    await visit.page.getByLabel('Admin token').waitFor();
    const focused: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      await visit.page.keyboard.press('Tab');
      focused.push(
        await visit.page.evaluate<string>(
          'document.activeElement.id || document.activeElement.textContent || document.activeElement.value',
        ),
      );
    }
    expect(focused).toEqual(['Skip to the content', 'API', 'Metrics', 'Policy lab', '10', 'token', 'Sign in', expect.anything()]); // prettier-ignore
    await visit.close();
  });

  it('may make the window as narrow as it goes', async () => {
    const visit = await dashboard();
    await shows(visit.page.locator('#link'), 'live');
    for (const width of [1, 120, widths.phone]) {
      await visit.page.setViewportSize({ width, height: 900 });
      await until(
        async () => (await visit.page.locator('#flow svg').getAttribute('width')) === String(await drawnWidth(visit)),
        patientMs,
      );
    }
    expect(visit.faults).toEqual([]);
    await visit.close();
  });

  it('is led to the policy lab, or told how to run it', async () => {
    jest.spyOn(process, 'cwd').mockReturnValue(folder);
    const look = async (heading: RegExp) => {
      const visit = await Visit.open(browser, `${nodes.a.url}/dashboard/lab`);
      await shows(visit.page.getByRole('heading').first(), heading);
      await visit.close();
      return visit.faults;
    };
    expect(await look(/report/)).toEqual([expect.stringContaining('404 (Not Found)')]);
    mkdirSync(join(folder, 'lab'));
    writeFileSync(join(folder, 'lab', 'report.html'), '<!doctype html><title>A report</title><h1>A report</h1>');
    expect(await look(/^A report$/)).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  it.each(Object.entries(widths))('the page fits a %s, and axe-core finds no serious fault', async (name, width) => {
    const visit = await dashboard(width, scheme);
    await visit.signIn(token);
    const stop = keepBusy([nodes.a.url, nodes.b.url]);
    await until(async () => (await visit.page.locator('.timeline tbody tr').count()) > 3, patientMs);
    await visit.page.getByRole('button', { name: 'Read', exact: true }).click();
    await visit.page.locator('#tries li').first().waitFor();
    expect(await visit.overflow()).toBeLessThanOrEqual(0);
    await visit.picture(`${name}-${scheme}`);
    await stop();
    expect(await visit.accessibilityFaults()).toEqual([]);
    expect(visit.faults).toEqual([]);
    await visit.close();
  });
});
