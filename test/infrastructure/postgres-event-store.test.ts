import { describe } from 'vitest'
import { eventStoreContract } from '../../src/application/ports/event-store.contract.ts'
import { openNotedStore } from '../support/noted.ts'

describe('the log on PostgreSQL', () => {
  eventStoreContract(openNotedStore, { atomicAppend: true })
})
