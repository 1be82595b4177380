import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Answers a request at once, or says that it does not. */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => boolean;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Puts a taker before the listeners that a server's `request` event has now: what it takes, they never see. Listeners are
 * wrapped by one that asks first; nothing of Node's is replaced. Returns the function that puts everything back, or, where
 * something else has been put in front since, has the taker take nothing more.
 */
export function prependRequestHandler(server: Server, takes: RequestHandler): () => void {
  const behind = server.listeners('request') as Listener[];
  for (const listener of behind) server.off('request', listener);
  let left = false;
  const ask: Listener = (req, res) => {
    if (!left && takes(req, res)) return;
    for (const listener of behind) listener.call(server, req, res);
  };
  server.prependListener('request', ask);
  return () => {
    left = true;
    if (!server.listeners('request').includes(ask)) return;
    server.off('request', ask);
    for (const listener of behind.toReversed()) server.prependListener('request', listener);
  };
}
