// A process with workflow runs, to be killed: node runs-child.mjs <compiled src> <database url> <what> <run id>
// charge: dies right after it has charged for a Continue; resume: right after it has resumed the run; follow: follows runs
const [, , compiled, databaseUrl, what, runId] = process.argv
const load = path => import(`${compiled}/${path}.js`)
const { systemClock } = await load('application/ports/clock')
const { silentLog } = await load('application/ports/log')
const { busCodec } = await load('infrastructure/codec/workflow-codec')
const { createQueueCatalog } = await load('infrastructure/postgres/queue/queue-catalog')
const { createPostgresEventStore } = await load('infrastructure/postgres/log/event-store')
const { clientLike, createPool } = await load('infrastructure/postgres/transactions/pool')
const { derivedId, uuidIds } = await load('infrastructure/shared/uuid-ids')
const { createWorkflows } = await load('compose/workflows')
const { busProjections } = await load('projections/bus-projections')

const pool = createPool(databaseUrl, 4)
const whole = createPostgresEventStore({
  pool,
  codec: busCodec,
  projections: busProjections({ onSuccess: 'delete' }),
  ensureQueues: createQueueCatalog(pool).ensure,
  onFilled: () => {},
})
const lastOf = { charge: 'CreditsCharged', resume: 'RunResumed' }[what]
// a log that takes one stream at a time, as EventStoreDB does
const store = {
  ...whole,
  capabilities: { ...whole.capabilities, atomicAppend: false },
  appendAll: async () => {
    throw new Error('this log takes one stream at a time')
  },
  append: async (appends, options) => {
    const results = await whole.append(appends, options)
    if (appends.some(({ events }) => events.some(({ event }) => event.type === lastOf)))
      process.kill(process.pid, 'SIGKILL')
    return results
  },
}
const { runs, runner } = createWorkflows({
  laneRules: () => [],
  pool,
  newClient: () => clientLike(pool),
  store: what === 'follow' ? whole : store,
  clock: systemClock,
  ids: uuidIds,
  derivedId,
  log: silentLog,
  isAway: () => false,
  options: { limits: { pollMs: 20, standbyMs: 20 } },
})
if (what === 'follow') {
  process.stdout.write('following\n')
  await runner.run()
} else {
  await runs.retryFailed({ subject: 'jane@example.com', tenant: 't1' }, runId)
}
