import { loadLibrary } from '../build.ts'
import type { FromWorker, ToWorker } from './memory.ts'

// A process that only works on commands and says now and then how many it has handled, and how much memory it has.
const tell = (message: FromWorker) => process.send?.(message)

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
    await worker.stop()
    await bus.close()
  })
  await worker.start()
})
