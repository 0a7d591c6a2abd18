import pg from 'pg'
import { atOnce, batches, type Contender, payload, perSecond } from './work.ts'

const senders = 10
const readers = 4
const readSize = 100
const leaseSeconds = 30

/** Hand-written pgmq through node-postgres: what the hardware gives when nothing but the queue is kept. */
export const openRaw = async (url: string, settle: () => Promise<void>): Promise<Contender> => {
  const pool = new pg.Pool({ connectionString: url, max: senders })
  let queues = 0

  const withQueue = async (use: (queue: string) => Promise<number>): Promise<number> => {
    const queue = `bench_raw_${process.pid}_${queues++}`
    await pool.query('select pgmq.create($1)', [queue])
    try {
      return await use(queue)
    } finally {
      await pool.query('select pgmq.drop_queue($1)', [queue])
    }
  }

  const withClients = async (count: number, use: (clients: readonly pg.PoolClient[]) => Promise<number>) => {
    const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()))
    try {
      return await use(clients)
    } finally {
      for (const client of clients) client.release()
    }
  }

  const sendOne = (client: pg.PoolClient, queue: string, index: number) =>
    client.query('select pgmq.send($1::text, $2::jsonb)', [queue, payload(index)])

  const sendMany = (client: pg.PoolClient | pg.Pool, queue: string, indexes: readonly number[]) =>
    client.query('select count(*) from pgmq.send_batch($1::text, $2::jsonb[])', [queue, indexes.map(payload)])

  const sendAll = async (client: pg.PoolClient | pg.Pool, queue: string, commands: number) => {
    for (const batch of batches(commands)) await sendMany(client, queue, batch)
  }

  /** Reads and deletes until the queue has nothing left to read. */
  const drain = async (client: pg.PoolClient, queue: string): Promise<number> => {
    for (let done = 0; ; ) {
      const read = 'select * from pgmq.read($1::text, $2::integer, $3::integer)'
      const { rows } = await client.query<{ msg_id: string }>(read, [queue, leaseSeconds, readSize])
      if (rows.length === 0) return done
      const ids = rows.map(row => row.msg_id)
      const deleted = await client.query('select pgmq.delete($1::text, $2::bigint[])', [queue, ids])
      done += deleted.rowCount ?? 0
    }
  }

  /** A connection sends one at a time, however many callers there are. */
  const send = (commands: number) =>
    withQueue(queue =>
      withClients(senders, async clients => {
        await settle()
        return perSecond(commands, () =>
          atOnce(senders, commands, (index, lane) => sendOne(clients[lane] as pg.PoolClient, queue, index)),
        )
      }),
    )

  const sendBulk = (commands: number) =>
    withQueue(queue =>
      withClients(1, async ([client]) => {
        await settle()
        return perSecond(commands, () => sendAll(client as pg.PoolClient, queue, commands))
      }),
    )

  const work = (commands: number) =>
    withQueue(queue =>
      withClients(readers, async clients => {
        await sendAll(clients[0] as pg.PoolClient, queue, commands)
        await settle()
        let done: readonly number[] = []
        const rate = await perSecond(commands, async () => {
          done = await Promise.all(clients.map(client => drain(client, queue)))
        })
        const handled = done.reduce((sum, count) => sum + count, 0)
        if (handled !== commands) throw new Error(`raw: ${handled} of ${commands} messages were read and deleted`)
        return rate
      }),
    )

  return {
    variant: 'raw',
    measure: { 'send-10': send, 'send-100': send, 'send-bulk': sendBulk, 'work-10': work, 'work-50': work },
    close: () => pool.end(),
  }
}
