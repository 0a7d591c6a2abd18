import { loadLibrary } from './build.ts'
import { batches, payload } from './work.ts'

export interface BulkOptions {
  readonly commands: number
  readonly rounds: number
  readonly say: (text: string) => void
  readonly check: () => void
}

/** Parked commands retried a second by one action, one figure a round. */
export type BulkFigures = readonly number[]

/** Through the same checks as one retry, each with its own event, message and result. */
export const targetRate = 5_000

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Commands of one domain fail for good, and are retried by one action that takes all of them. */
export const measureBulk = async (url: string, { commands, rounds, say, check }: BulkOptions): Promise<BulkFigures> => {
  const { createCommandBus, PermanentCommandError } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  const rates: number[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      check()
      const domain = `bench_bulk_${process.pid}_${round}`
      for (const batch of batches(commands))
        await bus.sendBatch(
          domain,
          batch.map(index => ({ commandType: 'Measure', data: payload(index) })),
        )
      const refuse = async () => {
        throw new PermanentCommandError('CLOSED', 'the account is closed')
      }
      const worker = bus.worker({ domain, handlers: { Measure: refuse }, concurrency: 50 })
      await worker.start()
      while ((await bus.troubleshooting.list({ domain, limit: 1 })).total < commands) await sleep(20)
      await worker.stop()
      check()
      const began = performance.now()
      const { actionId } = await bus.actions.start({ operator: 'bench', action: 'retry', filter: { domain } })
      await bus.actions.runOne(actionId)
      const rate = commands / ((performance.now() - began) / 1000)
      const done = await bus.actions.get(actionId)
      if (done?.succeeded !== commands) throw new Error(`${done?.succeeded} of ${commands} commands were retried`)
      rates.push(rate)
      say(`round ${round} of ${rounds}: ${Math.round(rate).toLocaleString('en-US')} retries a second`)
    }
  } finally {
    await bus.close()
  }
  return rates
}

const median = (rates: BulkFigures): number => rates.toSorted((a, b) => a - b)[rates.length >> 1] ?? Number.NaN

export const bulkTable = (rates: BulkFigures): string =>
  `bulk retry: median ${Math.round(median(rates)).toLocaleString('en-US')} a second, target ${targetRate.toLocaleString('en-US')}`

export const bulkJson = (rates: BulkFigures): string =>
  JSON.stringify({ results: [{ work: 'bulk-retry', variant: 'ours', rate: Number(median(rates).toFixed(1)) }] })

export const missesBulk = (rates: BulkFigures): boolean => !(median(rates) >= targetRate)
