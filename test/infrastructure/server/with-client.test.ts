import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { verifyCommands } from '../../../src/infrastructure/postgres/read-tables/verify.ts'
import { createPool } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { createBackgroundCheck } from '../../../src/infrastructure/proof/background-check.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { openCutLine } from '../../support/servers/cut-line.ts'

let database: TestDatabase
const uncaught: unknown[] = []
const catchAll = (error: unknown) => uncaught.push(error)
beforeEach(async () => {
  database = await createTestDatabase()
  process.on('uncaughtException', catchAll)
})
afterEach(async () => {
  process.off('uncaughtException', catchAll)
  await database.drop()
})

test('A29: a connection that breaks in work of several statements fails that work, and does not end the process', async () => {
  const line = await openCutLine(database.url)
  const pool = createPool(line.url, 3)
  const backgroundCheck = createBackgroundCheck({ pool, signer: null, log: silentLog })
  line.loseNextAnswerTo('pg_try_advisory_xact_lock')
  await backgroundCheck.turn()
  expect(backgroundCheck.stats().failing).toMatch(/terminated/)
  line.loseNextAnswerTo('order by stream, revision offset')
  await backgroundCheck.turn()
  expect(backgroundCheck.stats().failing).toMatch(/terminated/)
  await backgroundCheck.turn()
  expect(backgroundCheck.stats().failing).toBeNull()
  for (const verify of [() => verifyCommands({ pool }), () => verifyLog(pool)]) {
    line.loseNextAnswerTo('repeatable read read only')
    await expect(verify()).rejects.toThrow(/terminated/)
    await verify()
  }
  expect(line.cuts()).toBe(4)
  expect(uncaught).toEqual([])
  await pool.end()
  await line.close()
})
