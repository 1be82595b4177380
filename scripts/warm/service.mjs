// @ts-check

/**
 * The warming routes of a running service, and what their refusals mean to whoever typed the command.
 * @typedef {{ strategy: string, limit?: number | string, ids?: (number | string)[], entity?: string }} Wanted
 * @typedef {{ id: string, state: string, progress: number, warmed?: number, alreadyCached?: number, refused?: number,
 *   seconds?: number, error?: string }} Job
 * @typedef {ReturnType<typeof warmingService>} WarmingService
 */

const requestTimeoutMs = 10_000;

/** The service said no, or nothing. */
export class ServiceError extends Error {
  /** @param {string} message @param {boolean} passing whether it may answer a little later */
  constructor(message, passing = false) {
    super(message);
    this.passing = passing;
  }
}

/** @param {string} url @param {string | undefined} token */
export function warmingService(url, token) {
  /** @param {string} method @param {string} path @param {object} [body] */
  const ask = async (method, path, body) => {
    const answer = await send(new URL(`/admin/warming/jobs${path}`, url), {
      method,
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    if (!answer.ok) throw await refusal(answer, path);
    return answer;
  };
  const path = (/** @type {string} */ id) => `/${encodeURIComponent(id)}`;
  return {
    /** @param {Wanted} wanted */
    start: async (wanted) => /** @type {Job} */ (await (await ask('POST', '', wanted)).json()),
    /** @param {string} id */
    find: async (id) => /** @type {Job} */ (await (await ask('GET', path(id))).json()),
    /** @param {string} id */
    cancel: async (id) => void (await ask('DELETE', path(id))),
  };
}

/** @param {URL} url @param {RequestInit} request */
async function send(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    const { name, cause } = /** @type {Error & { cause?: { code?: string } }} */ (error);
    const reason = name === 'TimeoutError' ? `no answer in ${requestTimeoutMs / 1000} s` : (cause?.code ?? name);
    throw new ServiceError(
      `no service answers at ${url.origin} (${reason}): is it running? \`npm start\` starts one, --url names another`,
      true,
    );
  }
}

/** @param {Response} answer @param {string} path */
async function refusal(answer, path) {
  if (answer.status === 401)
    return new ServiceError('the admin token is missing or wrong: give it with --token or in ADMIN_TOKEN');
  if (answer.status === 404 && path === '')
    return new ServiceError('the service has no admin routes here: it was started without ADMIN_TOKEN');
  const problem = /** @type {{ detail?: string, errors?: { field: string, message: string }[] }} */ (
    await answer.json().catch(() => ({}))
  );
  const faults = (problem.errors ?? []).map(({ field, message }) => `\n  ${field} ${message}`);
  const text = `${problem.detail ?? answer.statusText}${faults.join('')}`;
  return new ServiceError(`the service answers ${answer.status}: ${text}`, answer.status === 503);
}
