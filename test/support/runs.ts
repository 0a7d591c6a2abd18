import type { RunStarter, WorkflowOptions, WorkflowRun } from '../../src/index.ts'
import { demoWorkflowHandlers } from '../../src/infrastructure/demo/index.ts'
import { createTestBus, type TestBus, until } from './bus.ts'

export const jane: RunStarter = { subject: 'jane@example.com', tenant: 't1' }

export interface TestRuns extends TestBus {
  /** Makes a template of tenant t1, by default at 2 credits a file. */
  readonly template: (more?: { readonly creditsPerRun?: number; readonly batchMode?: boolean }) => Promise<string>
  readonly grant: (monthly: number, purchased?: number) => Promise<void>
  /** Waits until a round of a run has ended. */
  readonly ended: (id: string, round?: number) => Promise<WorkflowRun>
  /** Starts a worker that obeys `input.behavior`, and the runner that records the results. */
  readonly atWork: () => Promise<{ readonly stop: () => Promise<void> }>
  /** The balance of t1, as `monthly/purchased`. */
  readonly balance: () => Promise<string>
}

/** Short waits, so that a failing file fails at once. */
export const quickly: WorkflowOptions = {
  policy: { maxAttempts: 1 },
  limits: { pollMs: 50, standbyMs: 50 },
}

export const createTestRuns = async (options: Parameters<typeof createTestBus>[0] = {}): Promise<TestRuns> => {
  const test = await createTestBus({ workflows: quickly, ...options })
  return { ...test, ...runsOf(test) }
}

export const runsOf = ({ bus, work }: Pick<TestBus, 'bus' | 'work'>): Omit<TestRuns, keyof TestBus> => ({
  template: async (more = {}) =>
    (await bus.runs.createTemplate(jane, { name: 'Summaries', creditsPerRun: 2, ...more })).id,
  grant: async (monthly, purchased = 0) => {
    if (monthly > 0) await bus.credits.grant('admin', 't1', { pool: 'monthly', amount: monthly, reason: 'plan' })
    if (purchased > 0)
      await bus.credits.grant('admin', 't1', { pool: 'purchased', amount: purchased, reason: 'bought' })
  },
  ended: (id, round = 1) =>
    until(
      () => bus.runs.get(jane, id),
      run => run.endedAt !== null && run.round === round,
    ),
  atWork: async () => {
    const following = new AbortController()
    const followed = bus.runs.run(following.signal)
    const worker = await work({ domain: 'workflow', handlers: demoWorkflowHandlers, concurrency: 20 })
    return {
      stop: async () => {
        following.abort()
        await Promise.all([worker.stop(), followed])
      },
    }
  },
  balance: async () => {
    const { monthly, purchased } = await bus.credits.balance('t1')
    return `${monthly}/${purchased}`
  },
})

/** How a file ends: `ok`, `failed` (transient), `error` (permanent). */
export type Fate = 'ok' | 'failed' | 'error'

export const files = (...fates: readonly Fate[]) =>
  fates.map((fate, i) => ({ fileName: `${i}-${fate}.pdf`, input: inputs[fate] }))

const inputs = {
  ok: {},
  failed: { behavior: { failTransientTimes: 1, errorCode: 'RATE_LIMITED', errorMessage: 'the model is busy' } },
  error: { behavior: { permanent: true, errorCode: 'UNREADABLE', errorMessage: 'no text in it' } },
}

/** A run with two failed files, and 10 credits left. */
export const failedRun = async (setup: TestRuns): Promise<string> => {
  await setup.grant(8, 8)
  const { id } = await setup.bus.runs.initiate(jane, {
    templateId: await setup.template(),
    files: files('ok', 'failed', 'failed'),
  })
  const worker = await setup.atWork()
  await setup.ended(id)
  await worker.stop()
  return id
}
