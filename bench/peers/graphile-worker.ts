import pg from 'pg'
import { loadPackage } from './packages.ts'
import type { Handle, Job, Peer, Session, Worker } from './peer.ts'

type Settings = Readonly<Record<string, unknown>>

type Utils = {
  readonly migrate: () => Promise<unknown>
  readonly addJob: (task: string, job: Job) => Promise<unknown>
  readonly addJobs: (jobs: readonly { readonly identifier: string; readonly payload: Job }[]) => Promise<unknown>
  readonly release: () => Promise<unknown>
}
type WorkerPool = { readonly gracefulShutdown: () => Promise<unknown> }
type Module = {
  readonly Logger: new (log: () => () => void) => object
  readonly makeWorkerUtils: (settings: Settings) => Promise<Utils>
  readonly runTaskList: (settings: Settings, tasks: Readonly<Record<string, Handle>>, pool: pg.Pool) => WorkerPool
}

const task = 'measure'
/** As many as a pool of its own would have. */
const connections = 10

const open =
  ({ Logger, makeWorkerUtils, runTaskList }: Module, batching: (concurrency: number) => Settings): Peer['open'] =>
  async (url, schema): Promise<Session> => {
    const settings = { connectionString: url, schema, logger: new Logger(() => () => {}) }
    const utils = await makeWorkerUtils(settings)
    await utils.migrate()
    return {
      send: job => utils.addJob(task, job),
      sendMany: jobs => utils.addJobs(jobs.map(payload => ({ identifier: task, payload }))),
      worker: async (concurrency, handle): Promise<Worker> => {
        const pool = new pg.Pool({ connectionString: url, max: connections })
        const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()))
        for (const client of clients) client.release()
        const workerSettings = {
          ...settings,
          concurrency,
          noHandleSignals: true,
          preset: { worker: batching(concurrency) },
        }
        let working: WorkerPool | undefined
        return {
          start: async () => {
            working = runTaskList(workerSettings, { [task]: handle }, pool)
          },
          stop: async () => {
            await working?.gracefulShutdown()
            await pool.end()
          },
        }
      },
      close: () => utils.release(),
    }
  }

/** A job that is completed is deleted. */
const count = (schema: string): string =>
  `select count(*)::integer as left, null::integer as completed from ${schema}._private_jobs`

export const loadGraphileWorker = async (): Promise<readonly Peer[]> => {
  const { module, label } = await loadPackage<Module>('graphile-worker')
  return [
    {
      variant: label,
      queue: 'graphile-worker',
      settings: 'default',
      works: ['send-10', 'send-bulk', 'work-10', 'work-50'],
      measuresLatency: true,
      open: open(module, () => ({})),
      count,
    },
    {
      variant: `${label} batched`,
      queue: 'graphile-worker',
      settings: 'batched',
      works: ['work-10', 'work-50'],
      measuresLatency: false,
      // where its documentation says to start
      open: open(module, concurrency => ({
        localQueue: { size: concurrency + 1 },
        completeJobBatchDelay: 250,
        failJobBatchDelay: 250,
      })),
      count,
    },
    {
      variant: `${label} tuned`,
      queue: 'graphile-worker',
      settings: 'tuned',
      works: ['work-10', 'work-50'],
      measuresLatency: true,
      // what did best here
      open: open(module, () => ({ localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 })),
      count,
    },
  ]
}
