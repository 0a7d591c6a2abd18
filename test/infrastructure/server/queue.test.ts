import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPgmqQueue, createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await database.pool.query(`select pgmq.create('q__commands')`)
})
afterEach(() => database.drop())

test('G7: of queues that are there only the last are remembered; one that is forgotten is looked up again', async () => {
  const catalog = createQueueCatalog(database.pool, 3)
  const names = Array.from({ length: 8 }, (_, i) => `r${i}__replies`)
  for (const name of names) await catalog.ensure(new Set([name]))
  expect(names.filter(catalog.isKnown)).toEqual(names.slice(-3))
  expect(await catalog.unmade(new Set([...names, 'x__replies']))).toEqual(['x__replies'])
  await catalog.ensure(new Set(names))
  const { rows } = await database.pool.query(`select count(*)::int as n from pgmq.meta where queue_name ~ '^r[0-7]__'`)
  expect(rows).toEqual([{ n: 8 }])
})

describe('how long until a message is visible', () => {
  const nextVisibleIn = () =>
    createPgmqQueue(database.pool, createQueueCatalog(database.pool)).nextVisibleIn('q__commands')

  test('nothing is said of an empty queue: whoever waits need not look before the bell or the next poll', async () => {
    expect(await nextVisibleIn()).toBeNull()
  })

  test('0 for one that is there, the time left for one that is hidden, and that of the first of many', async () => {
    await database.pool.query(`select pgmq.send('q__commands', '{}', 3600)`)
    const hidden = await nextVisibleIn()
    expect(hidden).toBeGreaterThan(0)
    expect(hidden).toBeLessThanOrEqual(3_600_000)
    await database.pool.query(`select pgmq.send('q__commands', '{}')`)
    expect(await nextVisibleIn()).toBe(0)
  })
})
