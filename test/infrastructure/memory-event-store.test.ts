import { describe } from 'vitest'
import type { Noted } from '../../src/application/ports/contract-kit.contract.ts'
import { eventStoreContract } from '../../src/application/ports/event-store.contract.ts'
import { createMemoryEventStore } from '../../src/infrastructure/memory/event-store.ts'

describe('the log in memory', () => {
  eventStoreContract(async () => ({ ...createMemoryEventStore<Noted>(), close: async () => {} }), {
    atomicAppend: true,
  })
})
