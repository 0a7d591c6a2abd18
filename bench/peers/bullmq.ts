import { loadPackage } from './packages.ts'
import type { Job, Peer, Result, Session, Worker } from './peer.ts'

type Settings = Readonly<Record<string, unknown>>

type Queue = {
  readonly waitUntilReady: () => Promise<unknown>
  readonly add: (name: string, data: Job) => Promise<unknown>
  readonly addBulk: (jobs: readonly { readonly name: string; readonly data: Job }[]) => Promise<unknown>
  readonly close: () => Promise<unknown>
}
type BullWorker = {
  readonly waitUntilReady: () => Promise<unknown>
  /** Settles once the worker is closed. */
  readonly run: () => Promise<unknown>
  readonly close: () => Promise<unknown>
}
type Module = {
  readonly createPostgresBackend: object
  readonly withBackend: (backend: object) => {
    readonly Queue: new (name: string, settings: Settings) => Queue
    readonly Worker: new (
      name: string,
      process: (job: { readonly data: Job }) => Promise<Result>,
      settings: Settings,
    ) => BullWorker
  }
}

const queueName = 'measure'
const jobName = 'Measure'

const open =
  ({ withBackend, createPostgresBackend }: Module): Peer['open'] =>
  async (url, schema): Promise<Session> => {
    const classes = withBackend(createPostgresBackend)
    const connection = { connectionString: url, schema, migrate: true }
    const queue = new classes.Queue(queueName, { connection })
    await queue.waitUntilReady()
    return {
      send: job => queue.add(jobName, job),
      sendMany: jobs => queue.addBulk(jobs.map(data => ({ name: jobName, data }))),
      worker: async (concurrency, handle): Promise<Worker> => {
        const settings = { connection, concurrency, autorun: false }
        const worker = new classes.Worker(queueName, job => handle(job.data), settings)
        await worker.waitUntilReady()
        let running: Promise<unknown> = Promise.resolve()
        return {
          start: async () => {
            running = worker.run()
          },
          stop: () => worker.close().then(() => running),
        }
      },
      close: () => queue.close(),
    }
  }

const count = (schema: string): string =>
  `select (count(*) filter (where state <> 'completed'))::integer as left,
    (count(*) filter (where state = 'completed'))::integer as completed from ${schema}.job`

export const loadBullMq = async (): Promise<readonly Peer[]> => {
  const { module, label } = await loadPackage<Module>('bullmq')
  return [
    {
      variant: label,
      queue: 'bullmq',
      settings: 'default',
      works: ['send-10', 'send-bulk', 'work-10', 'work-50'],
      measuresLatency: true,
      open: open(module),
      count,
    },
  ]
}
