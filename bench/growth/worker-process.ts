import { loadLibrary } from '../build.ts'
import type { FromWorker, ToWorker } from './memory.ts'

// A process that only works on commands and says now and then how many it has handled, and how much memory it has.
// It ends with the process that started it, which a Ctrl-C at the terminal is for.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

/** A worker that does not stop by then, as its server may be gone, is ended. */
const STOP_MS = 30_000

const tell = (message: FromWorker) => {
  // the callback takes the error of one who has just left
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

process.once('message', async ({ url, domain, commandType, every }: ToWorker) => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  let handled = 0
  const handle = async () => {
    handled++
    if (handled % every === 0) tell({ handled, rss: process.memoryUsage.rss() })
    return { handled }
  }
  const worker = bus.worker({ domain, handlers: { [commandType]: handle }, concurrency: 50 })
  process.once('disconnect', async () => {
    setTimeout(() => process.exit(1), STOP_MS).unref()
    await worker.stop()
    await bus.close()
  })
  await worker.start()
})
