// A worker in a process of its own, for tests that pause and kill it. Its handler notes when it began, by the clock that the
// database on this machine has, too.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const [, , compiled, databaseUrl, options] = process.argv
const { log, handlerMs, ...worker } = JSON.parse(options)
const { createCommandBus } = await import(`${compiled}/index.js`)

const pool = new pg.Pool({ connectionString: databaseUrl, max: 3 })
pool.on('error', () => {})
const bus = createCommandBus({ databaseUrl, ...log })

await bus
  .worker({
    domain: 'mail',
    concurrency: 5,
    pollMs: 100,
    ...worker,
    handlers: {
      '*': async (_, { command }) => {
        const began = new Date()
        await Promise.all([
          pool.query('insert into begun (command_id, at) values ($1, $2)', [command.commandId, began]),
          delay(handlerMs),
        ])
      },
    },
  })
  .start()
console.log('started')
