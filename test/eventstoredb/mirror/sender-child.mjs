// Sends in its own transactions until it is killed: node sender-child.mjs <compiled src> <database url> <esdb url>
import { randomUUID } from 'node:crypto'
import pg from 'pg'

const [, , compiled, databaseUrl, eventStoreUrl] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)

const bus = createCommandBus({ databaseUrl, eventStoreUrl, eventStoreLimits: { standbyMs: 50 } })
await bus.ready()
const pool = new pg.Pool({ connectionString: databaseUrl })
const client = await pool.connect()
for (let i = 0; ; i++) {
  const commandId = randomUUID()
  await client.query('begin')
  await client.query('insert into orders values ($1)', [commandId])
  await bus.send('payments', 'Charge', {}, { commandId, client })
  // every third order is rolled back
  await client.query(i % 3 === 2 ? 'rollback' : 'commit')
  process.stdout.write('sent\n')
}
