import { type Server } from 'node:http';
import { type Problem, problemOf } from './problem.js';
import { isAnsweredEarly, runningOn, type ServerSocket } from '../limits/server-socket.js';

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what is no HTTP request at all, too large a head, a request that does not come to its end, or CONNECT, and closes
 * the connection, whether the client closes its side or not. Valid requests before it keep their answers: the problem is the
 * last answer, never a part of another one, and never a second one to the same request.
 * @param lingerMs how long a client may take to read its last answer and to close its side
 */
export function answerClientErrors(server: Server, lingerMs = 1_000): void {
  const ending = new WeakSet<ServerSocket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: ServerSocket) => {
    // What follows the first error is read and dropped: a reset, which unread bytes cause, could overtake the answer.
    if (ending.has(socket)) return;
    ending.add(socket);
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
    const problem = problemOf(statuses[error.code ?? ''] ?? 400, 'This is not a request that can be read.');
    answerLast(socket, problem, lingerMs);
  });
  // Node would close the connection at once, and with it take valid requests their answers.
  server.on('connect', (_req, socket: ServerSocket) => {
    socket.on('error', () => socket.destroy());
    answerLast(socket, problemOf(501, 'This is no proxy.'), lingerMs);
  });
}

function answerLast(socket: ServerSocket, problem: Problem, lingerMs: number): void {
  const running = runningOn(socket);
  if (running?.req.complete) return void running.once('close', () => answerLast(socket, problem, lingerMs));
  // The request that is running is the one that cannot be read. Of an answer that has begun nothing can be taken back.
  if (!socket.writable || running?.headersSent) return void socket.destroy();
  socket.end(isAnsweredEarly(socket) ? '' : textOf(problem));
  const linger = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(linger));
}

function textOf(problem: Problem): string {
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
