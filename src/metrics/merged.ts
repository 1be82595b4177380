/**
 * One text of several in Prometheus' text format: help and type of each name once, and the samples of all, which differ in a
 * label.
 */
export function merged(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!;
  const byHead = new Map<string, string[]>();
  for (const part of texts.flatMap((text) => text.split(/^(?=# HELP )/m))) {
    const [help, type, ...samples] = part.split('\n').filter((line) => line !== '');
    if (help === undefined || type === undefined) continue;
    const head = `${help}\n${type}`;
    byHead.set(head, [...(byHead.get(head) ?? []), ...samples]);
  }
  return [...byHead].map(([head, samples]) => `${[head, ...samples].join('\n')}\n`).join('\n');
}
