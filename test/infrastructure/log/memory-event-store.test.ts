import * as vitest from 'vitest'
import { describe } from 'vitest'
import { createMemoryEventStore } from '../../../src/testing/memory/event-store.ts'
import type { Noted } from '../../../src/testing/ports/contract-kit.ts'
import { eventStoreSuite } from '../../../src/testing/ports/event-store.ts'

describe('the log in memory', () => {
  eventStoreSuite(vitest, async () => ({ ...createMemoryEventStore<Noted>(), close: async () => {} }), {
    atomicAppend: true,
  })
})
