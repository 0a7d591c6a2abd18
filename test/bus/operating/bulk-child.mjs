// A runner of bulk actions in a separate process, to be killed: node bulk-child.mjs <compiled src> <database url>
const [, , compiled, databaseUrl] = process.argv
const load = path => import(`${compiled}/${path}.js`)
const { createActions } = await load('infrastructure/runners/bulk-actions')
const { createTransactCommands } = await load('application/commands/transact-commands')
const { systemClock } = await load('application/ports/clock')
const { silentLog } = await load('application/ports/log')
const { commandCodec } = await load('infrastructure/codec/command-codec')
const { createQueueCatalog } = await load('infrastructure/postgres/queue/queue-catalog')
const { createPostgresEventStore } = await load('infrastructure/postgres/log/event-store')
const { createPool } = await load('infrastructure/postgres/transactions/pool')
const { uuidIds } = await load('infrastructure/shared/uuid-ids')
const { commandRowChange } = await load('projections/command-row')
const { outbox } = await load('projections/outbox')

const pool = createPool(databaseUrl, 4)
const store = createPostgresEventStore({
  pool,
  codec: commandCodec,
  projections: { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) },
  ensureQueues: createQueueCatalog(pool).ensure,
  onFilled: () => {},
})
const transact = createTransactCommands(store, uuidIds)
const actions = createActions({
  pool,
  transact,
  clock: systemClock,
  ids: uuidIds,
  onFilled: () => {},
  log: silentLog,
})
await actions.run(new AbortController().signal)
