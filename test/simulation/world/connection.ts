import { type Label, print, type Steps } from './steps.js';

interface Message {
  readonly label: Label;
  readonly deliver: () => void;
}

/** One direction of a connection: messages arrive in the order in which they were sent, each when its step is taken. */
export class Channel {
  #queue: Message[] = [];
  #moving = false;
  #held = false;

  constructor(private readonly steps: Steps) {}

  send(label: Label, deliver: () => void): void {
    this.#queue.push({ label, deliver });
    this.#pump();
  }

  /** A black hole: what is sent waits until it is let go again. */
  hold(held: boolean): void {
    this.#held = held;
    this.#pump();
  }

  drop(): void {
    this.#queue = [];
  }

  #pump(): void {
    const next = this.#queue[0];
    if (!next || this.#moving || this.#held) return;
    this.#moving = true;
    this.steps.add(next.label, () => {
      this.#moving = false;
      // Meanwhile it may have been dropped, or held up.
      if (this.#queue[0] === next && !this.#held) {
        this.#queue.shift();
        next.deliver();
      }
      this.#pump();
    });
  }
}

/** Which of a node's two ways to Redis. */
export type Path = 'data' | 'bus';

export interface Peer {
  readonly name: string;
  readonly alive: boolean;
  /** Cut off from Redis: whatever it sends, now or on a new connection, gets nowhere. */
  readonly partitioned: boolean;
  /** A listener of the client threw: in a real process nobody would catch it. */
  uncaught(error: Error): void;
}

/** One life of one TCP connection between a node and Redis. */
export class Connection {
  readonly #up: Channel;
  readonly #down: Channel;
  readonly #pending = new Set<(error: Error) => void>();
  open = true;
  path: Path = 'data';

  constructor(
    readonly node: Peer,
    private readonly steps: Steps,
    private readonly onEnd: (error?: Error) => void,
  ) {
    this.#up = new Channel(steps);
    this.#down = new Channel(steps);
    if (node.partitioned) this.hold(true);
  }

  /** A command and its reply: two steps, so that anything may happen before either. */
  request<T>(label: Label, execute: () => T): Promise<T> {
    if (!this.open) return Promise.reject(new Error('The client is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      const answer = (settle: () => void): void =>
        this.push(
          () => `${this.node.name} <- reply to ${print(label)}`,
          () => {
            this.#pending.delete(reject);
            settle();
          },
        );
      this.#up.send(
        () => `${this.node.name} -> ${print(label)}`,
        () => {
          let settle: () => void;
          try {
            const reply = execute();
            this.steps.detail(() => `= ${JSON.stringify(reply)}`);
            settle = () => resolve(reply);
          } catch (thrown) {
            const error = thrown instanceof Error ? thrown : new Error(String(thrown));
            this.steps.detail(() => `= ${error.message}`);
            settle = () => reject(error);
          }
          answer(settle);
        },
      );
    });
  }

  /** Something on the way to the node: a reply or, on the same way and behind all earlier ones, a message. */
  push(label: Label, deliver: () => void): void {
    if (!this.open) return;
    this.#down.send(label, () => {
      if (!this.open || !this.node.alive) return;
      try {
        deliver();
      } catch (error) {
        this.node.uncaught(error as Error);
      }
    });
  }

  hold(held: boolean): void {
    this.#up.hold(held);
    this.#down.hold(held);
  }

  /** The node closes it. What it has sent may still arrive. */
  close(): void {
    this.#end(new Error('Disconnects client'));
  }

  /** It breaks; replies on their way are lost, and so are commands unless they are far enough. */
  cut(commandsToo: boolean): void {
    if (!this.open) return;
    if (commandsToo) this.#up.drop();
    const error = new Error('Socket closed unexpectedly');
    this.#end(error);
    if (this.node.alive) this.onEnd(error);
  }

  #end(error: Error): void {
    if (!this.open) return;
    this.open = false;
    this.#down.drop();
    if (this.node.alive) for (const reject of this.#pending) reject(error);
    this.#pending.clear();
  }
}
