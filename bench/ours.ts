import pg from 'pg'
import { loadLibrary } from './build.ts'
import { atOnce, batches, type Contender, payload, perSecond, sleep } from './work.ts'

const commandType = 'Measure'
const pollMs = 5

/** The library as it ships, on the same server as the raw queue. `time` runs what is measured, and nothing else. */
export const openOurs = async (url: string, settle: () => Promise<void>, time = perSecond): Promise<Contender> => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  const watch = new pg.Client({ connectionString: url })
  await watch.connect()
  let domains = 0

  const newDomain = () => `bench_${process.pid}_${domains++}`

  const sendAll = async (domain: string, commands: number) => {
    for (const batch of batches(commands))
      await bus.sendBatch(
        domain,
        batch.map(index => ({ commandType, data: payload(index) })),
      )
  }

  /** A completed command's message is deleted by the transaction that completes it. */
  const queueIsEmpty = async (domain: string): Promise<boolean> => {
    const queue = watch.escapeIdentifier(`q_${domain}__commands`)
    const { rows } = await watch.query<{ empty: boolean }>(`select not exists (select from pgmq.${queue}) as empty`)
    return rows[0]?.empty === true
  }

  const completed = async (domain: string): Promise<number> => {
    const { rows } = await watch.query<{ count: number }>(
      `select count(*)::integer as count from command_bus_command where domain = $1 and status = 'COMPLETED'`,
      [domain],
    )
    return rows[0]?.count ?? 0
  }

  const send = (senders: number) => async (commands: number) => {
    const domain = newDomain()
    await bus.send(domain, commandType, payload(0))
    await settle()
    return time(commands, () => atOnce(senders, commands, index => bus.send(domain, commandType, payload(index))))
  }

  const sendBulk = async (commands: number) => {
    const domain = newDomain()
    await bus.send(domain, commandType, payload(0))
    await settle()
    return time(commands, () => sendAll(domain, commands))
  }

  const work = (concurrency: number) => async (commands: number) => {
    const domain = newDomain()
    await sendAll(domain, commands)
    await settle()
    let handled = 0
    const handlers = { [commandType]: async () => ({ handled: ++handled }) }
    const worker = bus.worker({ domain, handlers, concurrency })
    const deadline = performance.now() + 60_000 + commands * 50
    const allCompleted = async () => {
      await worker.start()
      while (handled < commands || !(await queueIsEmpty(domain))) {
        if (performance.now() > deadline) throw new Error(`ours: ${handled} of ${commands} commands handled in time`)
        await sleep(pollMs)
      }
    }
    const rate = await time(commands, allCompleted).finally(() => worker.stop())
    const count = await completed(domain)
    if (count !== commands) throw new Error(`ours: ${count} of ${commands} commands are completed`)
    return rate
  }

  const work10 = work(10)
  const work50 = work(50)

  return {
    variant: 'ours',
    measure: {
      'send-10': send(10),
      'send-100': send(100),
      'send-bulk': sendBulk,
      'work-10': work10,
      'work-50': work50,
    },
    close: async () => {
      await bus.close()
      await watch.end()
    },
  }
}
