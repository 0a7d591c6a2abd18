import { atOnce } from '../work.ts'
import { loadPackage } from './packages.ts'
import type { Handle, Job, Peer, Result, Session, Worker } from './peer.ts'

type Fetched = { readonly id: string; readonly data: Job }
type Settings = Readonly<Record<string, unknown>>

type PgBoss = {
  readonly start: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
  readonly on: (event: 'error', listener: (error: Error) => void) => unknown
  readonly createQueue: (name: string, settings: Settings) => Promise<unknown>
  readonly send: (name: string, data: Job) => Promise<unknown>
  readonly insert: (name: string, jobs: readonly { readonly data: Job }[]) => Promise<unknown>
  readonly work: (name: string, settings: Settings, handler: (jobs: readonly Fetched[]) => unknown) => Promise<string>
  readonly offWork: (name: string) => Promise<unknown>
}
type Module = { readonly PgBoss: new (settings: Settings) => PgBoss }

const queue = 'measure'

/** How a variant works off a queue. */
type Working = (boss: PgBoss, concurrency: number, handle: Handle) => Promise<unknown>

/** Each worker takes one job and then waits for its next turn, every two seconds. */
const pollEachJob: Working = (boss, concurrency, handle) =>
  boss.work(queue, { localConcurrency: concurrency }, async ([job]) => job && handle(job.data))

/** Fetches `batchSize` and the next as soon as these are done; each job keeps its own result. */
const fetchBatches =
  (workers: number, batchSize: (concurrency: number) => number): Working =>
  (boss, concurrency, handle) => {
    const settings = {
      localConcurrency: workers,
      batchSize: batchSize(concurrency),
      burstWhenBatchFull: true,
      perJobResults: true,
    }
    return boss.work(queue, settings, async jobs => {
      const results: { id: string; status: 'completed'; output: Result }[] = []
      await atOnce(concurrency / workers, jobs.length, async index => {
        const { id, data } = jobs[index] as Fetched
        results.push({ id, status: 'completed', output: await handle(data) })
      })
      return results
    })
  }

/** `notify` wakes workers by a notification instead of the next poll. */
const open =
  ({ PgBoss }: Module, working: Working, notify: boolean): Peer['open'] =>
  async (url, schema): Promise<Session> => {
    const boss = new PgBoss({ connectionString: url, schema, ...(notify && { useListenNotify: true }) })
    boss.on('error', error => process.stderr.write(`pg-boss: ${error.message}\n`))
    await boss.start()
    await boss.createQueue(queue, notify ? { notify } : {})
    return {
      send: job => boss.send(queue, job),
      sendMany: jobs =>
        boss.insert(
          queue,
          jobs.map(data => ({ data })),
        ),
      worker: async (concurrency, handle): Promise<Worker> => ({
        start: () => working(boss, concurrency, handle),
        stop: () => boss.offWork(queue),
      }),
      close: () => boss.stop(),
    }
  }

const count = (schema: string): string =>
  `select (count(*) filter (where state <> 'completed'))::integer as left,
    (count(*) filter (where state = 'completed'))::integer as completed from ${schema}.job`

export const loadPgBoss = async (): Promise<readonly Peer[]> => {
  const { module, label } = await loadPackage<Module>('pg-boss')
  return [
    {
      variant: label,
      queue: 'pg-boss',
      settings: 'default',
      works: ['send-10', 'send-bulk', 'work-10', 'work-50'],
      measuresLatency: true,
      mostJobs: concurrency => concurrency * 5,
      open: open(module, pollEachJob, false),
      count,
    },
    {
      variant: `${label} batched`,
      queue: 'pg-boss',
      settings: 'batched',
      works: ['work-10', 'work-50'],
      measuresLatency: false,
      open: open(
        module,
        fetchBatches(1, concurrency => concurrency),
        false,
      ),
      count,
    },
    {
      variant: `${label} tuned`,
      queue: 'pg-boss',
      settings: 'tuned',
      works: ['send-10', 'send-bulk', 'work-10', 'work-50'],
      measuresLatency: true,
      open: open(
        module,
        fetchBatches(2, () => 500),
        true,
      ),
      count,
    },
  ]
}
