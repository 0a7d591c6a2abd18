import { loadPackage } from './packages.ts'
import type { Handle, Job, Peer, Session, Worker } from './peer.ts'

type Settings = Readonly<Record<string, unknown>>

type Utils = {
  readonly migrate: () => Promise<unknown>
  readonly addJob: (task: string, job: Job) => Promise<unknown>
  readonly addJobs: (jobs: readonly { readonly identifier: string; readonly payload: Job }[]) => Promise<unknown>
  readonly release: () => Promise<unknown>
}
type Runner = { readonly stop: () => Promise<unknown> }
type Module = {
  readonly Logger: new (log: () => () => void) => object
  readonly makeWorkerUtils: (settings: Settings) => Promise<Utils>
  readonly run: (settings: Settings & { readonly taskList: Readonly<Record<string, Handle>> }) => Promise<Runner>
}

const task = 'measure'

const open =
  ({ Logger, makeWorkerUtils, run }: Module, batching: (concurrency: number) => Settings): Peer['open'] =>
  async (url, schema): Promise<Session> => {
    const settings = { connectionString: url, schema, logger: new Logger(() => () => {}) }
    const utils = await makeWorkerUtils(settings)
    await utils.migrate()
    return {
      send: job => utils.addJob(task, job),
      sendMany: jobs => utils.addJobs(jobs.map(payload => ({ identifier: task, payload }))),
      worker: async (concurrency, handle): Promise<Worker> => {
        let runner: Runner | undefined
        return {
          start: async () => {
            runner = await run({
              ...settings,
              concurrency,
              noHandleSignals: true,
              preset: { worker: batching(concurrency) },
              taskList: { [task]: handle },
            })
          },
          stop: async () => runner?.stop(),
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
      works: ['send-10', 'send-bulk', 'work-10', 'work-50'],
      measuresLatency: true,
      open: open(module, () => ({})),
      count,
    },
    {
      variant: `${label} batched`,
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
      works: ['work-10', 'work-50'],
      measuresLatency: true,
      // what did best here
      open: open(module, () => ({ localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 })),
      count,
    },
  ]
}
