import { placed } from './api.js';

const retryMs = 3_000;

/**
 * Server-sent events, for as long as they are wanted. A browser gives a stream up for good when it is refused (503 while
 * the service is shutting down): then it is asked for again.
 * @param {string} path
 * @param {{ open?: () => void, event: (event: any) => void, lost?: () => void }} told
 * @returns {() => void} closes it
 */
export function listen(path, { open, event, lost }) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  const connect = () => {
    source = new EventSource(placed(path));
    source.onopen = () => open?.();
    source.onmessage = ({ data }) => event(JSON.parse(data));
    source.onerror = () => {
      lost?.();
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(connect, retryMs);
    };
  };
  connect();
  return () => {
    clearTimeout(retry);
    source?.close();
  };
}
