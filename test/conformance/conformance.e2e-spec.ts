import { readFileSync } from 'node:fs';
import { documentOf, type Front, type Report, unexpected } from './report.js';
import { runWithoutPauses } from './run-suite.js';
import { startProxy } from './start-proxy.js';

describe('the public HTTP cache tests', () => {
  it.each<[name: string, front: Front]>([
    ['the api layer', 'handler'],
    ['the whole service', 'service'],
  ])(
    '%s passes all that do not wait for a response to become stale, but for those that are explained',
    async (_, front) => {
      const proxy = await startProxy(front);
      const results = await runWithoutPauses(proxy.url).finally(() => proxy.close());
      expect(Object.keys(results).length).toBeGreaterThan(30);
      expect(unexpected(results).filter((id) => id in results)).toEqual([]);
    },
  );

  it('have the scores that their document says (npm run conformance), the same for both', () => {
    const report = JSON.parse(readFileSync('docs/conformance.json', 'utf8')) as Report;
    const text = documentOf(report);
    expect(readFileSync('docs/conformance.md', 'utf8')).toBe(text);
    expect(text).not.toContain('not explained');
    expect(report.service.failed).toEqual(report.failed);
  });
});
