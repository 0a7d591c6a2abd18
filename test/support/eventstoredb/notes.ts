import { connectEventStoreDb } from '../../../src/infrastructure/eventstoredb/connection/connection.ts'
import { createEventStoreDbEventFeed } from '../../../src/infrastructure/eventstoredb/store/event-feed.ts'
import { createEventStoreDbEventStore } from '../../../src/infrastructure/eventstoredb/store/event-store.ts'
import type { Noted, Opened } from '../../../src/testing/ports/contract-kit.ts'
import { notedCodec } from '../noted.ts'

/** A log of notes in EventStoreDB, or in the test double. */
export const openNotes = (url: string, times: { timeoutMs?: number; retryMs?: number } = {}): Opened => {
  const connection = connectEventStoreDb(url)
  const options = { connection, codec: notedCodec, ...times }
  return {
    store: createEventStoreDbEventStore<Noted>(options),
    feed: createEventStoreDbEventFeed<Noted>({ ...options, prefixes: ['note-'] }),
    close: connection.close,
  }
}
