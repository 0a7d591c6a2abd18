// A process that follows the log, for tests that kill it. Says `following`, and ends by itself once stdin is closed.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , directory, databaseUrl, eventStoreUrl] = process.argv
const load = path => import(pathToFileURL(join(directory, path)).href)

const { silentLog } = await load('application/ports/log.js')
const { commandCodec } = await load('infrastructure/codec/command-codec.js')
const { createCatchUp } = await load('infrastructure/eventstoredb/mirror/catch-up.js')
const { connectEventStoreDb } = await load('infrastructure/eventstoredb/connection/connection.js')
const { createQueueCatalog } = await load('infrastructure/postgres/queue/queue-catalog.js')
const { clientLike, createPool } = await load('infrastructure/postgres/transactions/pool.js')
const { commandRowChange } = await load('projections/command-row.js')
const { outbox } = await load('projections/outbox.js')

const pool = createPool(databaseUrl, 4)
const connection = connectEventStoreDb(eventStoreUrl)
const catchUp = createCatchUp({
  connection,
  codec: commandCodec,
  prefixes: ['command-'],
  projection: 'commands',
  projections: { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) },
  ensureQueues: createQueueCatalog(pool).ensure,
  onFilled: () => {},
  pool,
  newClient: () => clientLike(pool),
  log: silentLog,
  standbyMs: 20,
  // small transactions, so that a kill hits one
  batch: 5,
})
catchUp.start()
const look = setInterval(() => {
  if (catchUp.health().state !== 'following') return
  console.log('following')
  clearInterval(look)
}, 5)
process.stdin.on('end', async () => {
  await catchUp.stop()
  await connection.close()
  await pool.end()
})
process.stdin.resume()
