import * as vitest from 'vitest'
import { describe } from 'vitest'
import { eventStoreSuite } from '../../../src/testing/ports/event-store.ts'
import { openNotedStore } from '../../support/noted.ts'

describe('the log on PostgreSQL', () => {
  eventStoreSuite(vitest, openNotedStore, { atomicAppend: true })
})
