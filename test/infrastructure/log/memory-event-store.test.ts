import { describe } from 'vitest'
import type { Noted } from '../../contracts/contract-kit.ts'
import { eventStoreContract } from '../../contracts/event-store.ts'
import { createMemoryEventStore } from '../../../src/testing/memory/event-store.ts'

describe('the log in memory', () => {
  eventStoreContract(async () => ({ ...createMemoryEventStore<Noted>(), close: async () => {} }), {
    atomicAppend: true,
  })
})
