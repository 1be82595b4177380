import { type Worker } from 'node:cluster';
import { type ChildProcess } from 'node:child_process';

interface Connection {
  close(): void;
}

/** What Node's cluster says between its processes (`lib/internal/cluster/round_robin_handle.js`). */
interface Internal {
  readonly cmd?: string;
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

type Send = (message: Internal, connection?: Connection, ...rest: unknown[]) => boolean;

/**
 * Closes the connections that a worker was given and has not taken when it ends. Node keeps its own handle of an accepted
 * connection until the worker says that it has it; a worker that is killed before never does, and its client would wait for
 * as long as the process above the workers lives.
 */
export function closeUntaken({ process: child }: Worker): void {
  const given = new Map<number, Connection>();
  const send = child.send.bind(child) as unknown as Send;
  const noting: Send = (message, connection, ...rest) => {
    if (message.act === 'newconn' && message.seq !== undefined && connection) given.set(message.seq, connection);
    return send(message, connection, ...rest);
  };
  child.send = noting as unknown as ChildProcess['send'];
  child.on('internalMessage', ({ cmd, ack }: Internal) => {
    if (cmd === 'NODE_CLUSTER' && ack !== undefined) given.delete(ack);
  });
  // By now, whatever it has said has been read.
  child.once('close', () => {
    for (const connection of given.values()) connection.close();
    // Node would wait for the confirmation before it says that the worker is gone, and count it among those that listen.
    if (given.size > 0) child.emit('disconnect');
  });
}
