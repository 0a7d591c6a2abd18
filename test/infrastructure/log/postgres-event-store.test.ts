import { describe } from 'vitest'
import { eventStoreContract } from '../../contracts/event-store.ts'
import { openNotedStore } from '../../support/noted.ts'

describe('the log on PostgreSQL', () => {
  eventStoreContract(openNotedStore, { atomicAppend: true })
})
