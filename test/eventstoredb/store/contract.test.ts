import * as vitest from 'vitest'
import { describe } from 'vitest'
import { eventStoreSuite } from '../../../src/testing/ports/event-store.ts'
import { openNotes } from '../../support/eventstoredb/notes.ts'
import { startTestDouble } from '../../support/eventstoredb/server.ts'

// the test double and the client share one thread: races take their time
const slow = { timeout: 180_000 }
const real = process.env.EVENTSTORE_URL

describe.skipIf(real !== undefined)('the log in EventStoreDB, against a test double', slow, () => {
  eventStoreSuite(vitest, async () => openNotes((await startTestDouble()).url), { atomicAppend: false })
})

describe.skipIf(real !== undefined)('the same, where the server offers no batches', slow, () => {
  eventStoreSuite(vitest, async () => openNotes((await startTestDouble({ batches: false })).url), {
    atomicAppend: false,
  })
})

describe.runIf(real !== undefined)('the log in EventStoreDB, at EVENTSTORE_URL', slow, () => {
  eventStoreSuite(vitest, async () => openNotes(real as string), { atomicAppend: false })
})
