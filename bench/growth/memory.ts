import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { loadLibrary } from '../build.ts'
import { say } from '../mode.ts'
import { median } from '../report.ts'
import { batches, payload, sleep } from '../work.ts'

export type ToWorker = {
  readonly url: string
  readonly domain: string
  readonly commandType: string
  /** It reports after each `every` commands. */
  readonly every: number
}
export type FromWorker = { readonly handled: number; readonly rss: number }

/**
 * The resident memory of a worker's process, in bytes. It is sampled a hundred times in each tenth of the commands, and the
 * figure of a tenth is the median of its samples. A tenth more goes through the worker before; it is warm in the second half
 * of that.
 */
export type MemoryFigures = {
  readonly commands: number
  readonly warm: number
  readonly tenths: readonly number[]
  /** The largest sample after the warm-up. */
  readonly peak: number
  /** Of the largest tenth over `warm`, as a share of it. */
  readonly growth: number
}

const TENTHS = 10
const SAMPLES = 100
const commandType = 'Measure'
/** A worker that handles nothing for so long has stopped. */
const STUCK_MS = 120_000

/** A worker in a process of its own. */
const startWorker = async (settings: ToWorker) => {
  const samples: FromWorker[] = []
  const child: ChildProcess = fork(fileURLToPath(new URL('./worker-process.js', import.meta.url)))
  const exited = once(child, 'exit')
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.on('message', message => samples.push(message as FromWorker))
  child.send(settings)
  return {
    samples,
    untilHandled: async (commands: number, check: () => void) => {
      let [seen, since] = [samples.length, performance.now()]
      while ((samples.at(-1)?.handled ?? 0) < commands) {
        check()
        if (samples.length > seen) [seen, since] = [samples.length, performance.now()]
        if (ended) throw new Error('the process of the worker has ended; see the lines above')
        if (performance.now() - since > STUCK_MS) throw new Error(`the worker handled nothing for ${STUCK_MS / 1000} s`)
        await sleep(20)
      }
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

/** Ten tenths of `commands`, and a tenth before, through one worker. */
export const measureMemory = async (url: string, commands: number, check: () => void): Promise<MemoryFigures> => {
  const every = Math.max(1, Math.floor(commands / TENTHS / SAMPLES))
  const tenth = every * SAMPLES
  const domain = `bench_memory_${process.pid}`
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  const worker = await startWorker({ url, domain, commandType, every })
  try {
    for (let sent = 0; sent <= TENTHS; sent++) {
      for (const batch of batches(tenth)) {
        check()
        await bus.sendBatch(
          domain,
          batch.map(index => ({ commandType, data: payload(index) })),
        )
      }
      await worker.untilHandled((sent + 1) * tenth, check)
      const { rss = Number.NaN } = worker.samples.at(-1) ?? {}
      say(`${((sent + 1) * tenth).toLocaleString('en-US')} commands through the worker: ${megabytes(rss)} MB`)
    }
  } finally {
    await worker.stop()
    await bus.close()
  }
  await expectCompleted(url, domain, tenth * (TENTHS + 1))
  return memoryFigures(worker.samples, tenth)
}

const memoryFigures = (samples: readonly FromWorker[], tenth: number): MemoryFigures => {
  const rssBetween = (after: number, upTo: number) =>
    samples.filter(({ handled }) => handled > after && handled <= upTo).map(({ rss }) => rss)
  const warm = median(rssBetween(tenth / 2, tenth))
  const tenths = Array.from({ length: TENTHS }, (_, i) => median(rssBetween(tenth * (i + 1), tenth * (i + 2))))
  return {
    ...{ commands: tenth * TENTHS, warm, tenths },
    peak: Math.max(...rssBetween(tenth, Number.POSITIVE_INFINITY)),
    growth: Math.max(...tenths) / warm - 1,
  }
}

/** A worker that stops reports what it has handled first, so all are completed by now. */
const expectCompleted = async (url: string, domain: string, commands: number): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::integer as count from command_bus_command where domain = $1 and status = 'COMPLETED'`,
      [domain],
    )
    if (rows[0]?.count !== commands) throw new Error(`${rows[0]?.count} of ${commands} commands are completed`)
  } finally {
    await client.end()
  }
}

export const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
