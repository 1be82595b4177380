/** What a worker says to the process above it. */
export type Upward =
  | { readonly type: 'ready'; readonly url: string }
  /** It wants to know what all workers have to say on something, itself included. */
  | { readonly type: 'ask'; readonly id: number; readonly topic: string }
  | { readonly type: 'said'; readonly id: number; readonly text: string };

/** What that process says to a worker. */
export type Downward =
  | { readonly type: 'say'; readonly id: number; readonly topic: string }
  | { readonly type: 'answers'; readonly id: number; readonly texts: readonly string[] };
