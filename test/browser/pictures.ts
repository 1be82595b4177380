import { type Browser } from 'playwright-core';
import { startChromium } from './chromium.js';
import { keepBusy } from './traffic.js';
import { token, TwoNodes } from './two-nodes.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { Visit, widths } from './visit.js';

/** The README's pictures, of real nodes at work: `npm run docs:pictures`. */
const folder = 'docs/pictures';
/** Until the chart of the first minute is full, in ms. */
const workMs = 55_000;
jest.setTimeout(240_000);

const nodes = new TwoNodes();
let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

test('pictures', async () => {
  const light = await Visit.open(browser, `${nodes.a.url}/dashboard`, widths.desk, 'light');
  await light.signIn(token);
  const stop = keepBusy([nodes.a.url, nodes.b.url], 12);
  await new Promise((resolve) => setTimeout(resolve, workMs));
  await sqlFromElsewhere(nodes.a.databaseUrl, 'UPDATE items SET quantity = 5 WHERE id = 42');
  await light.page.getByRole('button', { name: 'Read', exact: true }).click();
  await light.page.locator('#tries li').first().waitFor();
  await light.page.getByRole('button', { name: 'Read', exact: true }).click();
  await light.page.locator('#tries li').nth(1).waitFor();
  await light.page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await light.picture('dashboard', { folder, height: 1065 });
  await light.page.emulateMedia({ colorScheme: 'dark' });
  await light.pictureOf('#open', 'dashboard-signed-in', folder);
  await stop();
});
