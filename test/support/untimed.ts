/** Headers of an answer, and nothing in them tells the time: a second may pass between two answers. */
export const untimed = (headers: Readonly<Record<string, string>>): Record<string, string> => ({
  ...headers,
  date: '',
  age: '',
  'cache-status': (headers['cache-status'] ?? '').replace(/ttl=-?\d+/g, 'ttl'),
});
