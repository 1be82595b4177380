// @ts-nocheck: what is answered has no types here
// With fetch (Node.js or a browser): node docs/examples/items.mjs http://127.0.0.1:3000
const url = process.argv[2] ?? 'http://127.0.0.1:3000';

// readme:begin
/** Every item of a category, page by page. */
async function* itemsOf(category) {
  let cursor = null;
  do {
    const query = new URLSearchParams({ category, limit: '100', ...(cursor && { cursor }) });
    const page = await (await fetch(`${url}/items?${query}`)).json();
    yield* page.data;
    cursor = page.nextCursor;
  } while (cursor);
}

/** Changes an item as it is now; where somebody else was faster (412), once more. */
async function change(path, edit) {
  for (;;) {
    const read = await fetch(url + path);
    const { name, description, category, price, quantity } = await read.json();
    const written = await fetch(url + path, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'If-Match': read.headers.get('ETag') },
      body: JSON.stringify({ name, description, category, price, quantity, ...edit({ price, quantity }) }),
    });
    if (written.ok) return written.json();
    const problem = await written.json();
    if (written.status !== 412) throw new Error(`${problem.title}: ${problem.detail}`);
  }
}
// readme:end

const created = await fetch(`${url}/items`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ name: 'Spokeshave', category: 'planes', price: 30, quantity: 10 }),
});
const path = created.headers.get('Location');
// Ten at a time: none of the changes is lost.
await Promise.all(Array.from({ length: 10 }, () => change(path, ({ quantity }) => ({ quantity: quantity - 1 }))));
for await (const { name, quantity } of itemsOf('planes')) console.log(`${name}: ${quantity}`);
await fetch(url + path, { method: 'DELETE' });
