import { createCommandBus } from 'commandbus'
import { createApp } from './app.ts'
import { startWorker } from './worker.ts'

const { DATABASE_URL = '', PORT = '3000' } = process.env

const bus = createCommandBus({ databaseUrl: DATABASE_URL })
await bus.ready()
const app = createApp(bus)
await startWorker(bus)
console.log(`listening on ${await app.listen({ port: Number(PORT) })}`)

let isStopping = false
/** No new requests; then the handlers that run may end (their commands would come back otherwise); then the connections go. */
const stop = async (): Promise<void> => {
  if (isStopping) return
  isStopping = true
  await app.close()
  await bus.close()
  console.log('stopped')
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
