import type { EventContext, Recorded } from '../../domain/recorded.ts'

/** `none`: the stream must not exist; a number: the revision of its last event; `any`: whatever it is. */
export type ExpectedRevision = 'none' | 'any' | number

export interface NewEvent<Event> {
  /** A UUID made by the caller: appending the same ids again at the same revision is the same append. */
  readonly id: string
  readonly event: Event
  readonly context: EventContext
}

export interface StreamAppend<Event> {
  readonly stream: string
  readonly expected: ExpectedRevision
  /** At least one. */
  readonly events: readonly NewEvent<Event>[]
}

export type AppendResult =
  | {
      readonly outcome: 'appended'
      readonly stream: string
      /** Revision of the last event appended. */
      readonly revision: number
      /** The message that these events put on a queue, where the adapter knows it (one transaction for log and queue). */
      readonly msgId: string | null
    }
  | { readonly outcome: 'conflict'; readonly stream: string }
  /** Only of `appendAll`: another stream had a conflict, so nothing was appended to this one. */
  | { readonly outcome: 'not-tried'; readonly stream: string }
  /** Only of `brief`: an open transaction has locked what this needs; nothing was appended. */
  | { readonly outcome: 'held'; readonly stream: string }

/** The adapter's handle of a transaction that the caller began and will end; in PostgreSQL a connected `pg` client. */
export type Transaction = unknown

export interface AppendOptions {
  readonly within?: Transaction
  /** The appends are of several callers: none waits for a lock that another one needs. */
  readonly brief?: boolean
}

export interface ReadOptions {
  /** Without the events that stand in for an archived stream: for code that shows events and decides nothing. */
  readonly recordedOnly?: boolean
}

/**
 * The log. A lost race is a value (`conflict`); exceptions are for infrastructure. A call may have each stream only once.
 * Appending needs no transaction of the caller's. With `inlineProjections`, rows and messages are committed with the
 * events.
 */
export interface EventStore<Event> {
  readonly capabilities: {
    /** `appendAll` works: several streams, all or nothing. */
    readonly atomicAppend: boolean
    /** Rows and messages are committed together with the events. */
    readonly inlineProjections: boolean
  }
  /** Appends to each stream independently: conflicts are reported, the others are appended. Outcomes in the order given. */
  readonly append: (
    appends: readonly StreamAppend<Event>[],
    options?: AppendOptions,
  ) => Promise<readonly AppendResult[]>
  /** Appends all or nothing: after one conflict nothing is appended; the others are `conflict` or `not-tried`. */
  readonly appendAll: (
    appends: readonly StreamAppend<Event>[],
    options?: AppendOptions,
  ) => Promise<readonly AppendResult[]>
  /**
   * Events of one stream from revision `from` (default 0) on; empty if there are none. Read from its beginning, an
   * archived stream gives events that stand in for it, so that it is not mistaken for a new one.
   */
  readonly readStream: (stream: string, from?: number, options?: ReadOptions) => Promise<readonly Recorded<Event>[]>
  /** Reads many whole streams in one round trip; streams without events are missing from the map. */
  readonly readStreams: (
    streams: readonly string[],
    options?: AppendOptions,
  ) => Promise<ReadonlyMap<string, readonly Recorded<Event>[]>>
}

/** The event cannot be encoded so that it could be read again. Names its type and the path, never a value. */
export class EventEncodeError extends Error {
  override readonly name = 'EventEncodeError'
  readonly faults: readonly string[]
  constructor(type: string, faults: readonly string[]) {
    super(`event '${type}' cannot be written: ${faults.join('; ')}`)
    this.faults = faults
  }
}

/** An event in the log is damaged, or of a newer version. Names the stream, the revision and the path. */
export class EventDecodeError extends Error {
  override readonly name = 'EventDecodeError'
  readonly stream: string
  readonly revision: number
  readonly faults: readonly string[]
  constructor(stream: string, revision: number, faults: readonly string[]) {
    super(`event ${revision} of stream '${stream}' cannot be read: ${faults.join('; ')}`)
    this.stream = stream
    this.revision = revision
    this.faults = faults
  }
}
