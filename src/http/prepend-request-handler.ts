import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Takes a request and returns true, or returns false: then the listeners behind it get the request.
 * @param pass gives them a request later that was taken
 */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse, pass: Listener) => boolean;

/**
 * Calls a handler before the current listeners of a server's `request` event; they do not see what it answers. One listener
 * wraps them all, so nothing of Node's is replaced.
 * @returns undoes it; if another handler was prepended since, this one stays and answers nothing more
 */
export function prependRequestHandler(server: Server, handles: RequestHandler): () => void {
  const behind = server.listeners('request') as Listener[];
  for (const listener of behind) server.off('request', listener);
  const pass: Listener = (req, res) => {
    for (const listener of behind) listener.call(server, req, res);
  };
  let removed = false;
  const ask: Listener = (req, res) => {
    if (removed || !handles(req, res, pass)) pass(req, res);
  };
  server.prependListener('request', ask);
  return () => {
    removed = true;
    if (!server.listeners('request').includes(ask)) return;
    server.off('request', ask);
    for (const listener of behind.toReversed()) server.prependListener('request', listener);
  };
}
