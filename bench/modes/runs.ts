import { loadLibrary } from '../build.ts'
import { type Mode, onDatabase, say } from '../mode.ts'
import { sleep } from '../work.ts'

interface RunsOptions {
  readonly runs: number
  readonly files: number
  readonly check: () => void
}

interface RunsFigures {
  readonly phase: string
  /** Files whose outcome was noted. */
  readonly files: number
  readonly seconds: number
}

const principal = { subject: 'bench', tenant: 'bench' }
const LOOK_MS = 20

/** Runs in which every fifth file fails at its first try finish, are continued, and finish again. */
const measureRuns = async (url: string, { runs, files, check }: RunsOptions): Promise<readonly RunsFigures[]> => {
  const { createCommandBus, TransientCommandError } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url, workflows: { policy: { maxAttempts: 1 } } })
  try {
    await bus.credits.grant('bench', principal.tenant, { pool: 'purchased', amount: runs * files * 4, reason: 'bench' })
    const template = await bus.runs.createTemplate(principal, { name: 'Bench', creditsPerRun: 2 })
    const list = Array.from({ length: files }, (_, i) => ({ fileName: `${i}.pdf`, input: { fails: i % 5 === 0 } }))
    const handle = (data: unknown) => {
      const { round, input } = data as { readonly round: number; readonly input: { readonly fails: boolean } }
      if (input.fails && round === 1) throw new TransientCommandError('BUSY', 'the model is busy')
      return null
    }
    const worker = bus.worker({ domain: 'workflow', handlers: { '*': handle }, concurrency: 50 })
    const figures: RunsFigures[] = []
    const measure = async (phase: string, count: number, work: () => Promise<unknown>) => {
      check()
      const began = performance.now()
      await work()
      figures.push({ phase, files: count, seconds: (performance.now() - began) / 1000 })
      say(
        `${phase}: ${Math.round(count / ((performance.now() - began) / 1000)).toLocaleString('en-US')} files a second`,
      )
    }
    let ids: readonly string[] = []
    const allEnded = async (status: string) => {
      for (;;) {
        const now = await bus.runs.list(principal, { status: status as 'COMPLETED' })
        let count = now.items.length
        for (let next = now.nextCursor; next !== null; ) {
          const page = await bus.runs.list(principal, { status: status as 'COMPLETED', cursor: next })
          count += page.items.length
          next = page.nextCursor
        }
        if (count === ids.length) return
        await sleep(LOOK_MS)
      }
    }
    const failed = Math.ceil(files / 5) * runs
    await measure('start and charge', runs * files, async () => {
      ids = await Promise.all(
        Array.from(
          { length: runs },
          async () => (await bus.runs.initiate(principal, { templateId: template.id, files: list })).id,
        ),
      )
    })
    void bus.runs.run()
    await measure('work to the end', runs * files, async () => {
      await worker.start()
      await allEnded('COMPLETED_WITH_ERRORS')
    })
    await measure('continue and finish', failed, async () => {
      await Promise.all(ids.map(id => bus.runs.retryFailed(principal, id)))
      await allEnded('COMPLETED')
    })
    const { purchased } = await bus.credits.balance(principal.tenant)
    const paid = runs * files * 4 - purchased
    if (paid !== (runs * files + failed) * 2)
      throw new Error(`the runs cost ${paid} credits, not ${(runs * files + failed) * 2}`)
    return figures
  } finally {
    await bus.close()
  }
}

const RUNS = 10
const FILES_A_RUN = 1_000

const line = ({ phase, files, seconds }: RunsFigures): string => {
  const rate = Math.round(files / seconds).toLocaleString('en-US')
  return `${phase.padEnd(20)} ${String(files).padStart(6)} files ${seconds.toFixed(1).padStart(6)} s ${rate.padStart(8)} a second`
}

export const runs: Mode = {
  usage: [
    'runs             instead of the rest: 10 workflow runs over 1,000 files, a fifth of which fail, finish, are continued, and',
    '                 finish again',
  ],
  run: onDatabase(async ({ database, check }) => {
    const figures = await measureRuns(database.url, { runs: RUNS, files: FILES_A_RUN, check })
    return { table: figures.map(line).join('\n'), json: JSON.stringify(figures) }
  }),
}
