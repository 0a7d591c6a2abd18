import { priorityOfQueue } from '../../domain/command/names.ts'
import type { Instant } from '../../domain/instant.ts'

/** One message as read: `delivery` is the queue's count of reads of it, this one included (pgmq's read_ct). */
export interface Delivery {
  /** The queue that it was read from. */
  readonly queue: string
  readonly msgId: string
  readonly delivery: number
  /** Untrusted: any program may have put it on the queue. Undefined where `sent` is given. */
  readonly body: unknown
  /** What the log says of its command, where that is one event only and the message says the same. */
  readonly sent?: SentEvent
  /** The tables say that this is the message of the command it names; where the log is elsewhere. */
  readonly own?: true
  /** Characters of the body, or of that event, as text. */
  readonly size: number
}

/** The event that sent a command, in its stored form. */
export interface SentEvent {
  readonly commandId: string
  readonly data: object
  readonly meta: object
}

/** A message of a command in a lane. */
export interface LaneMessage extends DeliveryTag {
  readonly commandId: string
}

export type DeliveryTag = Pick<Delivery, 'queue' | 'msgId' | 'delivery'>

/**
 * Names a message among those of a domain's queues, each of which numbers its own: the message's id, followed by the queue where
 * that is not the domain's normal one.
 */
export const messageKey = ({ queue, msgId }: Pick<Delivery, 'queue' | 'msgId'>): string =>
  priorityOfQueue(queue) === 'normal' ? msgId : `${msgId} ${queue}`

/** A place in the order of a queue: when its message became due, as text, and its id. */
export interface QueuePlace {
  readonly vt: string
  readonly msgId: string
}

/**
 * The queue for a worker, apart from the effects of events. Names are valid queue names. `delivery` fences: a tag changes
 * nothing once its message has been read again.
 */
export interface Queue {
  /** Makes the queue when it does not exist yet. */
  readonly ensure: (queue: string) => Promise<void>
  /** Reads up to `quantity` visible messages and hides them for `leaseMs`. */
  readonly read: (queue: string, quantity: number, leaseMs: number) => Promise<readonly Delivery[]>
  /** Moves messages to the archive. */
  readonly archive: (queue: string, msgIds: readonly string[]) => Promise<void>
  /** Moves messages that belong to no known command to a place of their own, with the reason for each; by message id. */
  readonly keepStrangers: (queue: string, strangers: ReadonlyMap<string, string>) => Promise<void>
  /** Hides the messages for `leaseMs` from now; returns those whose lease is not lost. Calls the queue even without tags. */
  readonly extend: (queue: string, tags: readonly DeliveryTag[], leaseMs: number) => Promise<readonly string[]>
  /** Makes messages visible again after `delayMs`; `uncount` undoes the count of the read, for a message that was not handled. */
  readonly handBack: (
    queue: string,
    tags: readonly DeliveryTag[],
    options: { readonly uncount: boolean; readonly delayMs?: number },
  ) => Promise<void>
  /**
   * Which of these messages, all just read and of commands in lanes, may begin. The others go back, hidden until it is their turn;
   * their read does not count.
   */
  readonly begin: (queue: string, messages: readonly LaneMessage[]) => Promise<ReadonlySet<string>>
  /** Hides messages until their pause, which is given by message id, has ended; undoes the count of the read. */
  readonly putAside: (queue: string, tags: readonly DeliveryTag[], pauses: ReadonlyMap<string, string>) => Promise<void>
  /**
   * Puts messages aside that are due and paused, without reading them, from a place on (null: the first); returns the place up
   * to which it has looked. `more`: it has not reached the end.
   */
  readonly sweepPaused: (
    queue: string,
    after: QueuePlace | null,
  ) => Promise<{ readonly place: QueuePlace | null; readonly more: boolean }>
  /**
   * The commands that these messages of a queue belong to, by message id, from the rows: those named, and for other messages those
   * unfinished. Only for rare cases.
   */
  readonly ownersOf: (
    queue: string,
    msgIds: readonly string[],
    named: readonly string[],
  ) => Promise<ReadonlyMap<string, string>>
  /** Those of the queues that exist. */
  readonly existing: (queues: readonly string[]) => Promise<readonly string[]>
  /** The time of the queue's clock. */
  readonly now: () => Promise<Instant>
  /** Milliseconds until the next message becomes visible (0: now), null for an empty queue. Looks at lanes whose settings have changed. */
  readonly nextVisibleIn: (queue: string) => Promise<number | null>
}

/** Wakes the waiting workers of a queue. Best effort: workers poll as well. */
export interface Doorbell {
  readonly ring: (queues: readonly string[]) => void
}

/**
 * Checks whether a send may use these queues, some of which may not exist yet. Null: it may, at once. `caller`: the sender,
 * if it has a limit of its own. @throws TooManyQueuesError
 */
export type AdmitQueues = (queues: readonly string[], caller: string | null) => Promise<void> | null
