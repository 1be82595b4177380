import axe, { type AxeResults } from 'axe-core';
import { mkdirSync } from 'node:fs';
import { type Browser, type BrowserContext, type Page } from 'playwright-core';

export const widths = { phone: 390, desk: 1440 } as const;
export type Scheme = 'light' | 'dark';

/** Not under version control: to be looked at. */
const folder = 'test/browser/screenshots';

/** Run in the browser, before anything of the page. */
const reportViolations = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  console.error('policy: ' + violatedDirective + ' ' + blockedURI))`;
const excess = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** A page in a window of its own, with everything that went wrong in it. */
export class Visit {
  /** Errors that the console shows, exceptions, and violations of the content security policy. */
  readonly faults: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('requestfailed', (request) => {
      const { errorText = '' } = request.failure() ?? {};
      if (errorText !== 'net::ERR_ABORTED') this.faults.push(`${request.url()}: ${errorText}`);
    });
  }

  static async open(browser: Browser, url: string, width: number = widths.desk, scheme: Scheme = 'light') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
    const visit = new Visit(context, await context.newPage());
    await visit.page.addInitScript({ content: reportViolations });
    await visit.page.goto(url);
    return visit;
  }

  async signIn(token: string): Promise<void> {
    await this.page.getByLabel('Admin token').fill(token);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('heading', { name: 'Invalidations' }).waitFor();
  }

  /** Serious and critical faults that axe-core finds, as `rule: where`. */
  async accessibilityFaults(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<AxeResults>('axe.run()');
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ''}`),
      );
  }

  /** How many pixels the page is wider than its window. */
  overflow(): Promise<number> {
    return this.page.evaluate<number>(excess);
  }

  /** Of the whole page; or, with a height, of its first so many pixels. */
  async picture(name: string, options: { readonly folder?: string; readonly height?: number } = {}): Promise<void> {
    const { folder: into = folder, height } = options;
    mkdirSync(into, { recursive: true });
    if (height !== undefined) await this.page.setViewportSize({ width: this.page.viewportSize()!.width, height });
    await this.page.screenshot({ path: `${into}/${name}.png`, fullPage: height === undefined });
  }

  async pictureOf(selector: string, name: string, into = folder): Promise<void> {
    await this.page.locator(selector).screenshot({ path: `${into}/${name}.png` });
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
