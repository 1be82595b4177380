import { type Browser } from 'playwright-core';
import { startChromium } from './chromium.js';
import { keepBusy } from './traffic.js';
import { token, TwoNodes } from './two-nodes.js';
import { Visit, widths } from './visit.js';

const nodes = new TwoNodes();
let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());
jest.setTimeout(120_000);
test('look', async () => {
  const visit = await Visit.open(browser, `${nodes.a.url}/dashboard`);
  await new Promise((r) => setTimeout(r, 2500));
  await visit.picture('empty-desk');
  await visit.signIn(token);
  const stop = keepBusy([nodes.a.url, nodes.b.url]);
  await new Promise((r) => setTimeout(r, 12000));
  await visit.page.getByRole('button', { name: 'Read', exact: true }).click();
  await new Promise((r) => setTimeout(r, 500));
  await visit.page.getByRole('button', { name: 'Write', exact: true }).click();
  await new Promise((r) => setTimeout(r, 1500));
  await visit.picture('full-desk');
  const phone = await Visit.open(browser, `${nodes.a.url}/dashboard`, widths.phone, 'dark');
  await phone.signIn(token);
  await new Promise((r) => setTimeout(r, 4000));
  await phone.picture('full-phone');
  console.log('overflow', await phone.overflow(), await visit.overflow());
  await visit.page.emulateMedia({ colorScheme: 'dark' });
  await new Promise((r) => setTimeout(r, 1200));
  await visit.picture('full-desk-dark');
  await stop();
  console.log(visit.faults, phone.faults, await visit.accessibilityFaults(), await phone.accessibilityFaults());
});
