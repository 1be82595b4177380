import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Answers a request at once and returns true, or returns false. */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => boolean;

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
    if (!removed && handles(req, res)) return;
    for (const listener of behind) listener.call(server, req, res);
  };
  server.prependListener('request', ask);
  return () => {
    removed = true;
    if (!server.listeners('request').includes(ask)) return;
    server.off('request', ask);
    for (const listener of behind.toReversed()) server.prependListener('request', listener);
  };
}
