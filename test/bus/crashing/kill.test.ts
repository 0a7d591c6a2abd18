import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { createCommandBus } from '../../../src/index.ts'
import { embeddedStatus, removeEmbedded, startEmbedded } from '../../../src/infrastructure/postgres/embedded/index.ts'
import { migrate } from '../../../src/infrastructure/postgres/schema/migrate.ts'
import { createTestBus, logIsSeparate, type TestBus, until } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'
import { compiledSource } from '../../support/servers/compiled.ts'
import { dataDirectory } from '../../support/servers/data-directory.ts'

const script = fileURLToPath(new URL('./worker-child.mjs', import.meta.url))

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

interface ChildOptions {
  readonly leaseSeconds: number
  readonly hang?: boolean
  readonly handlerMs?: number
}

/** Starts a worker process; `says` resolves at the first line that begins with a text. */
const spawnWorker = ({ database, log }: Pick<TestBus, 'database' | 'log'>, options: ChildOptions) => {
  const given = JSON.stringify({ ...options, log })
  const child = spawn(process.execPath, [script, compiledSource(), database.url, given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const seen: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', line => {
    seen.push(line)
    for (const look of [...waiting]) look()
  })
  const says = (start: string): Promise<string> =>
    new Promise(resolve => {
      const look = (): void => {
        const line = seen.find(one => one.startsWith(start))
        if (line === undefined) return
        waiting.delete(look)
        resolve(line)
      }
      waiting.add(look)
      look()
    })
  const kill = async (): Promise<void> => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  return { child, says, kill, gone: once(child, 'exit') }
}

describe('kill -9', () => {
  test('A27: of a worker in a handler: the command is delivered again after its lease, as the next attempt', async () => {
    const { bus, database, log } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    // a new process connects to the log, too, before it can work on what it has read
    const leaseSeconds = logIsSeparate ? 4 : 1
    const first = spawnWorker({ database, log }, { leaseSeconds, hang: true })
    await first.says('handling')
    await first.kill()
    spawnWorker({ database, log }, { leaseSeconds })
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done).toMatchObject({ result: 2, totalAttempts: 2 })
    const audit = await bus.getAuditTrail('payments', commandId)
    expect(audit.map(entry => entry.eventType)).toEqual(['SENT', 'RECEIVED', 'RECEIVED', 'COMPLETED'])
  })

  test('A27: a command that kills its worker every time is parked, and the other commands all complete', async () => {
    const { bus, database, log, pool } = await createTestBus()
    const innocents = await bus.sendBatch(
      'payments',
      Array.from({ length: 30 }, () => ({ commandType: 'Charge', data: {} })),
    )
    const poison = await bus.send('payments', 'Charge', { poison: true }, { maxAttempts: 3 })
    const supervised = (async () => {
      for (let deaths = 0; ; deaths++) {
        const worker = spawnWorker({ database, log }, { leaseSeconds: 1 })
        const parked = until(() => bus.getCommand('payments', poison.commandId), isParked)
        if ((await Promise.race([worker.gone, parked.then(() => 'parked')])) === 'parked') return deaths
      }
    })()
    expect(await supervised).toBe(3)
    expect(await bus.getCommand('payments', poison.commandId)).toMatchObject({
      parkedReason: 'LEASE_LOST',
      totalAttempts: 3,
    })
    for (const { commandId } of innocents) {
      await until(
        () => bus.getCommand('payments', commandId),
        c => c?.status === 'COMPLETED',
      )
    }
    expect((await pool.query('select 1 from pgmq.q_payments__commands')).rowCount).toBe(0)
  })

  test('of workers at any moment, between any two steps: every command completes once, with one reply', async () => {
    const { bus, database, log, pool } = await createTestBus()
    const total = 300
    await bus.sendBatch(
      'payments',
      Array.from({ length: total }, () => ({ commandType: 'Charge', data: {}, replyTo: 'replies', maxAttempts: 50 })),
    )
    const completed = async (): Promise<number> =>
      (await pool.query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)).rows[0].n
    for (let killed = 0, before = 0; killed < 6; killed++) {
      const worker = spawnWorker({ database, log }, { leaseSeconds: 1, handlerMs: 2 })
      // kills at once when the next outcomes appear: during handlers, reads and appends
      before = await until(completed, n => n > before)
      await worker.kill()
    }
    spawnWorker({ database, log }, { leaseSeconds: 1 })
    await until(completed, n => n === total)
    const replies = await pool.query(
      `select count(*)::int as replies, count(distinct message->>'command_id')::int as commands from pgmq.q_replies`,
    )
    expect(replies.rows[0]).toEqual({ replies: total, commands: total })
    const left = await pool.query(
      `select (select count(*) from pgmq.q_payments__commands)::int as messages,
              (select count(*) from command_bus_command where status = 'IN_PROGRESS')::int as running`,
    )
    expect(left.rows[0]).toEqual({ messages: 0, running: 0 })
  })

  // the bus of this test is on a server of its own
  test.skipIf(logIsSeparate)(
    'of the database server: it recovers, the worker reconnects, nothing is lost',
    async () => {
      const home = await mkdtemp(join(dataDirectory(), 'commandbus-kill-'))
      const server = await startEmbedded({ home, supervise: true })
      try {
        const pool = new pg.Pool({ connectionString: server.url })
        pool.on('error', () => {})
        await migrate(pool)
        const bus = createCommandBus({ databaseUrl: server.url })
        const total = 1000
        await bus.sendBatch(
          'payments',
          Array.from({ length: total }, () => ({
            commandType: 'Charge',
            data: {},
            replyTo: 'replies',
            maxAttempts: 20,
          })),
        )
        let handled = 0
        const worker = bus.worker({
          domain: 'payments',
          leaseSeconds: 2,
          concurrency: 5,
          handlers: {
            Charge: async () => {
              if (++handled === 300) process.kill((await embeddedStatus(home)).pid as number, 'SIGKILL')
            },
          },
        })
        await worker.start()
        const completed = async (): Promise<number> =>
          pool
            .query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)
            .then(found => found.rows[0].n)
            .catch(() => -1)
        await until(completed, n => n === total)
        const { rows } = await pool.query(
          `select count(*)::int as replies, count(distinct message->>'command_id')::int as commands from pgmq.q_replies`,
        )
        expect(rows[0]).toEqual({ replies: total, commands: total })
        expect((await pool.query('select 1 from pgmq.q_payments__commands')).rowCount).toBe(0)
        await bus.close()
        await pool.end()
      } finally {
        await server.release()
        await removeEmbedded(home)
      }
    },
  )
})
