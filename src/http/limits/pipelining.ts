import { AsyncResource } from 'node:async_hooks';
import { type Server } from 'node:http';
import { type Socket } from 'node:net';
import { type RequestHandler } from '../prepend-request-handler.js';

/** Requests of all connections that may wait behind others: each costs about 3 kB. */
const ordinaryLimit = 10_000;

export interface Pipelining {
  readonly takes: RequestHandler;
  /** How many requests have been read and wait for their turn. */
  readonly waiting: () => number;
}

/**
 * Works on one request of a connection at a time. Requests that the client has sent behind it (pipelining: RFC 9112, 9.3.2)
 * wait until the answer before them has been handed to the operating system, and meanwhile nothing more is read from the
 * connection: a client that does not read costs one answer, however many requests it has sent.
 *
 * What has been read before reading stops may be thousands of requests (Node reads 64 kB at once), so all connections
 * together may have `limit` requests waiting; beyond that, the connection with the most of them is closed. Each request is
 * begun in a turn of the event loop of its own, so that a long pipeline delays nobody else.
 *
 * The queue is Node's: a response gets its connection once the response before it has finished.
 */
export function oneAtATime(server: Server, limit = ordinaryLimit): Pipelining {
  /** Of the connections that have pipelined and are open. */
  const waiting = new Map<Socket, number>();
  let total = 0;

  const count = (socket: Socket, difference: number): number => {
    const requests = waiting.get(socket)! + difference;
    waiting.set(socket, requests);
    total += difference;
    return requests;
  };
  const forget = (socket: Socket): void => {
    total -= waiting.get(socket) ?? 0;
    waiting.delete(socket);
  };
  const watch = (socket: Socket): void => {
    waiting.set(socket, 0);
    // Node resumes reading after each answer.
    socket.on('resume', () => (waiting.get(socket) ?? 0) > 0 && socket.pause());
    socket.once('close', () => forget(socket));
  };
  const closeLongest = (): void => {
    const [socket] = [...waiting].reduce((longest, other) => (other[1] > longest[1] ? other : longest));
    forget(socket);
    socket.destroy();
  };

  const takes: RequestHandler = (req, res) => {
    if (res.socket) return false;
    const { socket } = req;
    // Its other requests of the same 64 kB still arrive here.
    if (socket.destroyed) return true;
    if (!waiting.has(socket)) watch(socket);
    if (count(socket, 1) === 1) socket.pause();
    const begin = (): void => {
      // Closed, or its last answer has been sent: a request whose body cannot be read.
      if (!socket.writable) return;
      if (count(socket, -1) === 0) socket.resume();
      server.emit('request', req, res);
    };
    // In the asynchronous context of its own arrival: the event belongs to the end of the request before it.
    res.once(
      'socket',
      AsyncResource.bind(() => setImmediate(begin)),
    );
    if (total > limit) closeLongest();
    return true;
  };
  return { takes, waiting: () => total };
}
