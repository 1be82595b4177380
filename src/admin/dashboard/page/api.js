/** The path that the service is below, for one that has a prefix: this file is `dashboard/assets/api.js` there. */
const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

/**
 * Where the service answers a path of its own.
 * @param {string} path
 */
export const placed = (path) => `${root}${path}`;

/** What the service refused, in its own words. */
export class Refusal extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/**
 * Asks the service.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Response>}
 * @throws {Refusal}
 */
export async function ask(method, path, body, headers = {}) {
  const options = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } };
  const answer = await reach(path, { method, headers, ...options });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const faults = (problem.errors ?? []).map((/** @type {{ field: string, message: string }} */ { field, message }) => `${field} ${message}`); // prettier-ignore
  const text = faults.length > 0 ? faults.join('; ') : (problem.detail ?? answer.statusText);
  throw new Refusal(answer.status, text);
}

/** @param {string} path @param {RequestInit} init */
async function reach(path, init) {
  try {
    return await fetch(placed(path), init);
  } catch {
    throw new Refusal(0, 'The service does not answer.');
  }
}
