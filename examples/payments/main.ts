import { createCommandBus } from 'commandbus'
import pg from 'pg'
import { findDatabase } from './database.ts'
import { preparePayments, startPayments } from './payments.ts'
import { awaitReplies } from './replies.ts'
import { placeOrder, prepareShop, replyQueue } from './shop.ts'

const databaseUrl = findDatabase()
const pool = new pg.Pool({ connectionString: databaseUrl })
const bus = createCommandBus({ pool })

await prepareShop(pool)
await preparePayments(pool)
await startPayments(bus)

const small = await placeOrder(bus, pool, 25)
const large = await placeOrder(bus, pool, 100_000)
const replies = await awaitReplies(databaseUrl, replyQueue, [small, large])

for (const id of [small, large]) {
  const { outcome, result, error } = replies.get(id) ?? {}
  const { rowCount } = await pool.query('select from payment where command_id = $1', [id])
  console.log(`order ${id}: ${outcome}`, result ?? error, `(${rowCount} payment)`)
}

await bus.close()
await pool.end()
