import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * A connection with what Node's server keeps on it. None of it is documented, and all of it is what Node's own timeouts and
 * its own handler of client errors read.
 */
export type ServerSocket = Socket & {
  /** The response that is sent on it now. */
  readonly _httpMessage?: ServerResponse | null;
  /** `incoming`: the request that was begun last, until its body has been read. */
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
};

/** The response that is due on a connection; undefined: it is idle, or its client has not sent a whole head. */
export const runningOn = (socket: ServerSocket): ServerResponse | undefined => socket._httpMessage ?? undefined;

/** Whether a request is still coming in whose response has been sent. */
export const isAnsweredEarly = (socket: ServerSocket): boolean =>
  !runningOn(socket) && socket.parser?.incoming?.complete === false;

/** Bytes that the operating system has taken for the client; undefined: nothing is left to be sent, or the connection is gone. */
export function takenBy(socket: ServerSocket): number | undefined {
  const handle = socket._handle;
  return socket.writableLength > 0 && handle ? handle.bytesWritten - handle.writeQueueSize : undefined;
}
