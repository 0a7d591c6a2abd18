import type { Pool } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPgmqQueue, createQueueCatalog } from '../../src/infrastructure/pgmq/queue.ts'
import { queueFigures } from '../../src/infrastructure/postgres/figures.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const MANY = 200_000
const QUEUE = 'busy__commands'

let database: TestDatabase
let pool: Pool
beforeEach(async () => {
  database = await createTestDatabase()
  pool = database.pool
  await createQueueCatalog(pool).ensure(new Set([QUEUE]))
})
afterEach(() => database.drop())

const newQueue = () => createPgmqQueue(pool, createQueueCatalog(pool))

/** So many messages, the first of them due at `vt`, each a microsecond after the one before. */
const fill = (many: number, vt: string): Promise<unknown> =>
  pool.query(
    `insert into pgmq.q_${QUEUE} (vt, message) select ${vt} + i * interval '1 microsecond', '{"a": 1}'
     from generate_series(1, $1::int) i`,
    [many],
  )

/** How many blocks the work touches, as the server counts them for this one connection. */
const blocksOf = async <A>(work: (one: Pool) => Promise<A>): Promise<{ readonly blocks: number; readonly answer: A }> => {
  const client = await pool.connect()
  try {
    const count = async (): Promise<number> => {
      // what a connection has counted so far is reported when it is told to
      await client.query('select pg_stat_force_next_flush()')
      await client.query('select pg_stat_clear_snapshot()')
      const { rows } = await client.query(
        `select coalesce(sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0)), 0)::float8 as n
         from pg_statio_all_tables where relname = 'q_${QUEUE}'`,
      )
      return rows[0].n
    }
    const before = await count()
    const answer = await work(client as unknown as Pool)
    return { answer, blocks: (await count()) - before }
  } finally {
    client.release()
  }
}

const readSome = async (queue = newQueue(), quantity = 10) => {
  const { blocks, answer } = await blocksOf(one =>
    createPgmqQueue(one, createQueueCatalog(pool), positionsOf(queue)).read(QUEUE, quantity, 30_000),
  )
  return { blocks, ids: answer.map(({ msgId }) => Number(msgId)) }
}
