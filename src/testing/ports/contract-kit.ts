import { randomUUID } from 'node:crypto'
import type { EventFeed } from '../../application/ports/event-feed.ts'
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  StreamAppend,
  Transaction,
} from '../../application/ports/event-store.ts'
import type { EventContext } from '../../domain/recorded.ts'

/** The only event that the suite appends: small, with any text. */
export interface Noted {
  readonly type: 'Noted'
  readonly at: string
  readonly actor: string
  readonly text: string
}

/** A caller's transaction, where an adapter can join one. */
export interface OpenTransaction {
  readonly within: Transaction
  /** Commits the transaction. */
  readonly commit: () => Promise<void>
  /** Rolls the transaction back. */
  readonly rollback: () => Promise<void>
}

/** An adapter under test. Other tests may use its log, too: the suite reads only its own streams. */
export interface Opened {
  readonly store: EventStore<Noted>
  readonly feed: EventFeed<Noted>
  /** Begins a transaction that stays open. */
  readonly begin?: () => Promise<OpenTransaction>
  /** Removes a stream's events from the log, where an adapter knows archived streams. */
  readonly archive?: (stream: string) => Promise<void>
  /** Closes what was opened. */
  readonly close: () => Promise<void>
}

export const context: EventContext = {
  commandType: 'Note',
  correlationId: 'correlation',
  causationId: null,
  replyTo: null,
  tenantId: null,
}

export const noted = (text = 'x'): NewEvent<Noted> => ({
  id: randomUUID(),
  event: { type: 'Noted', at: '2026-01-02T03:04:05.678Z', actor: 'tester', text },
  context,
})

export const some = (count: number): readonly NewEvent<Noted>[] =>
  Array.from({ length: count }, (_, i) => noted(`${i}`))
export const newStream = (): string => `note-${randomUUID()}`
export const write = (stream: string, expected: ExpectedRevision, events = some(1)): StreamAppend<Noted> => ({
  stream,
  expected,
  events,
})
export const outcomes = (results: readonly AppendResult[]) => results.map(({ outcome }) => outcome)
export const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)

/** A stream whose last event has revision `count - 1`. */
export const streamOf = async (store: EventStore<Noted>, count: number): Promise<string> => {
  const stream = newStream()
  if (count > 0) await store.append([write(stream, 'none', some(count))])
  return stream
}
