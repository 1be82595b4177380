/** Readers that prefer some items, some that page through lists, and now and then a writer: for pictures with something in them. */
export function keepBusy(urls: readonly string[], pauseMs = 4): () => Promise<void> {
  const stopped = new AbortController();
  const { signal } = stopped;
  const one = (of: number) => 1 + Math.floor(Math.random() ** 3 * of);
  const categories = ['tools', 'garden', 'coffee-tea', 'audio', 'toys'];
  const reader = async (url: string) => {
    while (!signal.aborted) {
      const path = Math.random() < 0.9 ? `/items/${one(900)}` : `/items?category=${categories[one(5) - 1]}`;
      await fetch(url + path)
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const writer = async (url: string) => {
    while (!signal.aborted) {
      const path = `${url}/items/${one(200)}`;
      const { name, description, category, price } = (await (await fetch(path)).json()) as Record<string, unknown>;
      const body = JSON.stringify({ name, description, category, price, quantity: one(99) });
      await fetch(path, { method: 'PUT', body, headers: { 'Content-Type': 'application/json' } }).catch(
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, 900));
    }
  };
  const all = Promise.all([...urls.flatMap((url) => [reader(url), reader(url)]), ...urls.map(writer)]);
  return async () => {
    stopped.abort();
    await all;
  };
}
