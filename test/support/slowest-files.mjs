// @ts-check

const howMany = 10;

/** A Jest reporter: after a run of many files, one line each for the slowest. */
export default class SlowestFiles {
  /**
   * @param {unknown} _contexts
   * @param {{ testResults: readonly { testFilePath: string, perfStats: { start: number, end: number } }[] }} results
   */
  onRunComplete(_contexts, { testResults }) {
    if (testResults.length <= howMany) return;
    const timed = testResults.map(({ testFilePath, perfStats: { start, end } }) => ({ testFilePath, ms: end - start }));
    const slowest = timed.sort((a, b) => b.ms - a.ms).slice(0, howMany);
    const lines = slowest.map(({ testFilePath, ms }) => {
      const path = testFilePath.slice(process.cwd().length + 1).replaceAll('\\', '/');
      return `${(ms / 1_000).toFixed(1).padStart(6)} s  ${path}`;
    });
    process.stderr.write(`\nThe ${howMany} slowest files:\n${lines.join('\n')}\n`);
  }
}
