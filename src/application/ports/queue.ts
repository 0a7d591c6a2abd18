/** One message as read: `delivery` is the queue's count of reads of it, this one included (pgmq's read_ct). */
export interface Delivery {
  readonly msgId: string
  readonly delivery: number
  readonly enqueuedAt: string
  /** Untrusted: whatever somebody put on the queue. */
  readonly body: unknown
  /** Characters of the body as text. */
  readonly size: number
}

export type DeliveryTag = Pick<Delivery, 'msgId' | 'delivery'>

/**
 * What a worker needs of the queue besides the effects of events. Names are valid queue names. `delivery` fences: a tag
 * whose message has been read again since then changes nothing.
 */
export interface Queue {
  /** Makes the queue when it does not exist yet. */
  readonly ensure: (queue: string) => Promise<void>
  /** Reads up to `quantity` visible messages and hides them for `leaseMs`. */
  readonly read: (queue: string, quantity: number, leaseMs: number) => Promise<readonly Delivery[]>
  /** Moves messages to the archive. */
  readonly archive: (queue: string, msgIds: readonly string[]) => Promise<void>
  /** Moves messages of no known command to the archive, and notes which they are and why; by message id. */
  readonly keepStrangers: (queue: string, strangers: ReadonlyMap<string, string>) => Promise<void>
  /** Hides the messages for `leaseMs` from now on; returns those that are still ours. Asks the queue also for none. */
  readonly extend: (queue: string, tags: readonly DeliveryTag[], leaseMs: number) => Promise<readonly string[]>
  /** Makes messages visible again after `delayMs`; `uncount` takes the read back, for a message nobody worked on. */
  readonly handBack: (
    queue: string,
    tags: readonly DeliveryTag[],
    options: { readonly uncount: boolean; readonly delayMs?: number },
  ) => Promise<void>
  /** Which unfinished commands of the domain these messages belong to, by message, as the rows say: for the rare case only. */
  readonly ownersOf: (domain: string, msgIds: readonly string[]) => Promise<ReadonlyMap<string, string>>
  /** Milliseconds until the next message becomes visible (0: now), null for an empty queue. */
  readonly nextVisibleIn: (queue: string) => Promise<number | null>
}

/** Tells waiting workers of a queue that something may be there. Best effort: workers poll as well. */
export interface Doorbell {
  readonly ring: (queues: readonly string[]) => void
}

/**
 * Whether a send may use these queues, some of which may not be there yet. Null: it may, and nobody needs to wait for it.
 * `caller`: who sends, where that is somebody with a limit of his own. @throws TooManyQueuesError
 */
export type AdmitQueues = (queues: readonly string[], caller: string | null) => Promise<void> | null
