/** A message of a reply queue. `delivery`: how often it was read, this time included. */
export interface ReplyMessage {
  readonly msgId: string
  readonly delivery: number
  /** ISO 8601. */
  readonly enqueuedAt: string
  /** Untrusted: any program may have put it on the queue. */
  readonly body: unknown
}

export interface ReplyFilter {
  readonly correlationId?: string
  /** Only those that have been on the queue for so long, in milliseconds. */
  readonly olderThanMs?: number
}

/** Reply queues. Names are valid queue names. A queue that does not exist is an error of the adapter's. */
export interface ReplyMessages {
  /** Later messages have higher ids than this. */
  readonly head: (queue: string) => Promise<string>
  /**
   * Replies to these commands among the messages with a higher id than `after`, oldest first, and the present head. Hides
   * nothing. `more`: there may be others after the last one.
   */
  readonly ofCommands: (
    queue: string,
    after: string,
    commandIds: readonly string[],
  ) => Promise<{ readonly head: string; readonly found: readonly ReplyMessage[]; readonly more: boolean }>
  /** Reads visible messages, oldest first, and hides them for `hiddenMs`. */
  readonly read: (
    queue: string,
    quantity: number,
    hiddenMs: number,
    filter?: ReplyFilter,
  ) => Promise<readonly ReplyMessage[]>
  /** Hides messages for the given times from now, unless they were read again. `uncount` takes the read back. */
  readonly hide: (
    queue: string,
    messages: readonly (Pick<ReplyMessage, 'msgId' | 'delivery'> & { readonly ms: number })[],
    uncount?: boolean,
  ) => Promise<void>
  readonly remove: (queue: string, msgIds: readonly string[]) => Promise<void>
  /** Moves messages to the queue's archive. */
  readonly archive: (queue: string, msgIds: readonly string[]) => Promise<void>
}
