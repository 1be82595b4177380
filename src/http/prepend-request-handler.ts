import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * Answers a request and returns true, or returns false: it goes on to the listeners behind.
 * @param pass who has returned true sends it on to them later by this
 */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse, pass: () => void) => boolean;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Calls a handler before the current listeners of a server's `request` event; they do not see what it answers. One listener
 * wraps them all, so nothing of Node's is replaced.
 * @returns undoes it; if another handler was prepended since, this one stays and answers nothing more
 */
export function prependRequestHandler(server: Server, handles: RequestHandler): () => void {
  const behind = server.listeners('request') as Listener[];
  for (const listener of behind) server.off('request', listener);
  let removed = false;
  const ask: Listener = (req, res) => {
    const pass = () => behind.forEach((listener) => listener.call(server, req, res));
    if (removed || !handles(req, res, pass)) pass();
  };
  server.prependListener('request', ask);
  return () => {
    removed = true;
    if (!server.listeners('request').includes(ask)) return;
    server.off('request', ask);
    for (const listener of behind.toReversed()) server.prependListener('request', listener);
  };
}
