import { loadLibrary } from '../build.ts'
import { batches, payload, sleep } from '../work.ts'

// A process with a worker for each of some domains. It works off commands of its own first, so that its code is compiled, and
// says `ready` when all of its workers have started. It ends with the process that started it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

export type ToScaleWorker = {
  readonly url: string
  readonly domains: readonly string[]
  readonly commandType: string
  readonly warmUp: number
}

/** A worker that does not stop by then, as its server may be gone, is ended. */
const STOP_MS = 30_000
/** At once in a process, all domains together: with many domains each gets a few. */
const CONCURRENCY = 50
const LEAST_CONCURRENCY = 10

const tell = (message: 'ready') => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

process.once('message', async ({ url, domains, commandType, warmUp }: ToScaleWorker) => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  let handled = 0
  const handlers = { [commandType]: async () => ({ handled: ++handled }) }
  const workerOf = (domain: string, concurrency: number) => bus.worker({ domain, handlers, concurrency })
  process.once('disconnect', async () => {
    setTimeout(() => process.exit(1), STOP_MS).unref()
    await bus.close()
  })

  const own = `bench_warm_${process.pid}`
  for (const batch of batches(warmUp))
    await bus.sendBatch(
      own,
      batch.map(index => ({ commandType, data: payload(index) })),
    )
  const warming = workerOf(own, CONCURRENCY)
  await warming.start()
  while (handled < warmUp) await sleep(5)
  await warming.stop()

  const concurrency = Math.max(LEAST_CONCURRENCY, Math.floor(CONCURRENCY / domains.length))
  await Promise.all(domains.map(domain => workerOf(domain, concurrency).start()))
  tell('ready')
})
