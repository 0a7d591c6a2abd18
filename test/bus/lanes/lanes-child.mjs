// A worker in a separate process that writes what it runs into table `ran`: node lanes-child.mjs <compiled src> <database url> <options>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus, PermanentCommandError, TransientCommandError } = await import(`${compiled}/index.js`)
const { default: pg } = await import('pg')
const { concurrency, leaseSeconds, handlerMs } = JSON.parse(json)

const pool = new pg.Pool({ connectionString: databaseUrl, max: concurrency })
pool.on('error', () => {})
const bus = createCommandBus({ databaseUrl })
const worker = bus.worker({
  domain: 'jobs',
  concurrency,
  leaseSeconds,
  pollMs: 100,
  handlers: {
    Run: async ({ lane, n, fails = 0, parks = 0 }) => {
      const { rows } = await pool.query('insert into ran (lane, n) values ($1, $2) returning id', [lane, n])
      if (handlerMs > 0) await new Promise(resolve => setTimeout(resolve, handlerMs))
      // those that ended before: killed ones have no end
      const before = await pool.query(
        'update ran set ended = clock_timestamp() where id = $1 returning (select count(*) from ran r where r.lane = $2 and r.n = $3 and r.ended is not null)::int as ends',
        [rows[0].id, lane, n],
      )
      const { ends } = before.rows[0]
      if (ends < fails) throw new TransientCommandError('AGAIN', 'once more')
      if (ends < fails + parks) throw new PermanentCommandError('BAD', 'park it')
    },
  },
})
await worker.start()
process.stdout.write('started\n')
process.on('SIGTERM', () => bus.close().then(() => process.exit(0)))
