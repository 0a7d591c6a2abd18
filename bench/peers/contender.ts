import pg from 'pg'
import { type Pinger, rendezvous, timed } from '../modes/latency.ts'
import { atOnce, batches, type Measure, type PartialContender, payload, perSecond, sleep } from '../work.ts'
import type { Peer, PeerWork, Session } from './peer.ts'

type Counts = { readonly left: number; readonly completed: number | null }

const pollMs = 5
const latencyConcurrency = 10

let schemas = 0
const newSchema = () => `bench_peer_${process.pid}_${schemas++}`

/** Each measurement begins with an empty schema, which is dropped afterwards, so that no peer pays for what it keeps. */
export const openPeer = async (peer: Peer, url: string, settle: () => Promise<void>): Promise<PartialContender> => {
  const watch = new pg.Client({ connectionString: url })
  await watch.connect()

  const withSession = async (use: (session: Session, counts: () => Promise<Counts>) => Promise<number>) => {
    const schema = newSchema()
    const counts = async () => (await watch.query<Counts>(peer.count(schema))).rows[0] as Counts
    try {
      const session = await peer.open(url, schema)
      return await use(session, counts).finally(session.close)
    } finally {
      await watch.query(`drop schema if exists ${schema} cascade`)
    }
  }

  const sendAll = async (session: Session, jobs: number) => {
    for (const batch of batches(jobs)) await session.sendMany(batch.map(payload))
  }

  /** `first` are sent before the clock starts, so that all connections are open. */
  const sending = (first: number, send: (session: Session, jobs: number) => Promise<unknown>): Measure => {
    return jobs =>
      withSession(async (session, counts) => {
        await send(session, first)
        await settle()
        await send(session, first)
        const rate = await perSecond(jobs, () => send(session, jobs))
        const { left } = await counts()
        if (left !== jobs + 2 * first)
          throw new Error(`${peer.variant}: ${left} jobs are waiting of ${jobs + 2 * first} that were sent`)
        return rate
      })
  }

  const working = (concurrency: number): Measure => {
    return commands =>
      withSession(async (session, counts) => {
        const jobs = Math.min(commands, peer.mostJobs?.(concurrency) ?? commands)
        await sendAll(session, jobs)
        await settle()
        let handled = 0
        const worker = await session.worker(concurrency, async () => ({ handled: ++handled }))
        const deadline = performance.now() + 60_000 + jobs * 50
        const allCompleted = async () => {
          await worker.start()
          while (handled < jobs || (await counts()).left > 0) {
            if (performance.now() > deadline)
              throw new Error(`${peer.variant}: ${handled} of ${jobs} jobs handled in time`)
            await sleep(pollMs)
          }
        }
        const rate = await perSecond(jobs, allCompleted).finally(worker.stop)
        const { left, completed } = await counts()
        if (handled !== jobs || left > 0 || (completed ?? jobs) !== jobs)
          throw new Error(`${peer.variant}: of ${jobs} jobs ${handled} were handled, ${left} are left`)
        return rate
      })
  }

  const all: Readonly<Record<PeerWork, Measure>> = {
    'send-10': sending(10, (session, jobs) => atOnce(10, jobs, index => session.send(payload(index)))),
    'send-bulk': sending(1, sendAll),
    'work-10': working(10),
    'work-50': working(50),
  }
  return {
    variant: peer.variant,
    measure: Object.fromEntries(peer.works.map(work => [work, all[work]])),
    close: () => watch.end(),
  }
}

/**
 * One instance sends, another one works, as two processes do. It begins with the first ping, when all others are open:
 * a worker of graphile-worker shuts down when a schema is made anywhere in its database.
 */
export const pingerOf = (peer: Peer): Pinger => ({
  variant: peer.variant,
  open: async url => {
    const schema = newSchema()
    const sender = await peer.open(url, schema)
    const receiver = await peer.open(url, schema)
    const { next, started } = rendezvous()
    let handled = 0
    const worker = await receiver.worker(latencyConcurrency, async () => {
      started()
      return { handled: ++handled }
    })
    let starting: Promise<unknown> | undefined
    return {
      send: async () => {
        starting ??= worker.start()
        await starting
        return timed(next, () => sender.send(payload(1)))
      },
      close: async () => {
        await worker.stop()
        await receiver.close()
        await sender.close()
      },
    }
  },
})
