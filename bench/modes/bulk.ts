import { loadLibrary } from '../build.ts'
import { type Mode, onDatabase, say } from '../mode.ts'
import { decimals, median } from '../report.ts'
import { leastBulkRetries } from '../targets.ts'
import { batches, payload, sleep } from '../work.ts'

interface BulkOptions {
  readonly commands: number
  readonly rounds: number
  readonly check: () => void
}

/** Parked commands retried a second by one action, one figure a round. */
type BulkFigures = readonly number[]

const PARKED = 10_000

/** Commands of one domain fail for good, and are retried by one action that takes all of them. */
const measureBulk = async (url: string, { commands, rounds, check }: BulkOptions): Promise<BulkFigures> => {
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

const whole = (rate: number): string => Math.round(rate).toLocaleString('en-US')

export const bulk: Mode = {
  usage: ['bulk             10,000 commands that failed for good, retried by one action'],
  run: onDatabase(async ({ database, options: { rounds }, check }) => {
    const rate = median(await measureBulk(database.url, { commands: PARKED, rounds, check }))
    return {
      table: `bulk retry: median ${whole(rate)} a second, target ${whole(leastBulkRetries)}`,
      json: JSON.stringify({ results: [{ work: 'bulk-retry', variant: 'ours', rate: decimals(rate, 1) }] }),
      misses:
        rate >= leastBulkRetries ? [] : [`bulk retry: ${whole(rate)} a second is below ${whole(leastBulkRetries)}`],
    }
  }),
}
