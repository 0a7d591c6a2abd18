import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import { InvalidInputError, TransientCommandError } from '../../../src/index.ts'
import { createExpiry } from '../../../src/infrastructure/runners/expiry.ts'
import { eventIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { createTestBus, logIsSeparate, signal, type TestBus } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'
import { createCommandStore } from '../../support/lives/command-store.ts'
import { auditNames } from '../../support/park.ts'

/** Of the race. */
const COMMANDS = Number(process.env.EXPIRY_COMMANDS ?? 120)

const ended = ({ bus, until }: TestBus, commandId: string, status: string) =>
  until(
    () => bus.getCommand('mail', commandId),
    c => c?.status === status,
  )

/** Holds the lock of the sweep, so that only workers expire commands. */
const withoutSweep = async ({ pool }: TestBus, work: () => Promise<void>): Promise<void> => {
  const client = await pool.connect()
  await client.query(`select pg_advisory_lock(hashtextextended('commandbus:expiry', 0))`)
  try {
    await work()
  } finally {
    client.release(true)
  }
}

/** A sweep that looks much more often than that of a bus. */
const quickSweep = ({ pool }: TestBus) =>
  createExpiry({
    pool,
    transact: createTransactCommands(createCommandStore(pool), eventIds),
    log: silentLog,
    everyMs: 5,
  })

describe('a command that nobody begins by its time', () => {
  test('F3: is canceled by a process that only runs actions, with a reply and a line in the audit', async () => {
    const setup = await createTestBus()
    const { bus, messages, archived } = setup
    const options = { expiresInSeconds: 0.4, replyTo: 'answers', priority: 'low' } as const
    const { commandId } = await bus.send('mail', 'Post', 1, options)
    const expiresAt = (await bus.getCommand('mail', commandId))?.expiresAt ?? ''
    const { commandId: lasting } = await bus.send('mail', 'Post', 2, { expiresInSeconds: 3_600 })
    const stop = new AbortController()
    const running = bus.actions.run(stop.signal)
    const canceled = await ended(setup, commandId, 'CANCELED')
    stop.abort()
    await running
    expect(canceled).toMatchObject({ expiresAt, totalAttempts: 0, revision: 1 })
    expect(Date.parse(canceled?.updatedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(expiresAt))
    expect((await bus.getAuditTrail('mail', commandId)).at(-1)).toMatchObject({
      eventType: 'COMMAND_EXPIRED',
      actor: 'expiry',
      details: { expires_at: expiresAt, reply_to: 'answers' },
    })
    expect((await messages('answers')).map(({ message }) => message)).toMatchObject([
      {
        command_id: commandId,
        outcome: 'CANCELED',
        error: { code: 'EXPIRED', class: 'EXPIRY', message: `no worker had begun it by ${expiresAt}` },
      },
    ])
    expect([await messages('mail__commands__low'), (await archived('mail__commands__low')).length]).toEqual([[], 1])
    expect((await bus.getHistory('mail', commandId)).state).toMatchObject({ canceledReason: 'EXPIRED' })
    expect(await bus.getCommand('mail', lasting)).toMatchObject({ status: 'PENDING' })
    expect(await bus.maintenance.verify()).toEqual([])
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('F3: is canceled by the worker that reads it too late, and not run', async () => {
    const setup = await createTestBus()
    await withoutSweep(setup, async () => {
      const { bus, work } = setup
      const { commandId } = await bus.send('mail', 'Post', 1, { expiresInSeconds: 0.05 })
      const { commandId: other } = await bus.send('mail', 'Other', 1, { expiresInSeconds: 3_600 })
      await delay(60)
      const worker = await work({ domain: 'mail', handlers: { Post: () => expect.unreachable(), Other: () => 'done' } })
      await ended(setup, commandId, 'CANCELED')
      expect((await bus.getAuditTrail('mail', commandId)).at(-1)).toMatchObject({
        eventType: 'COMMAND_EXPIRED',
        actor: worker.workerId,
      })
      await ended(setup, other, 'COMPLETED')
      expect(await auditNames(bus, 'mail', other)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
    })
  })

  test.skipIf(logIsSeparate)('F3: is canceled while an open transaction holds the lane of another one', async () => {
    const setup = await createTestBus()
    const { bus, pool, until } = setup
    const { commandId: held } = await bus.send('mail', 'Post', 1, { key: 'held', expiresInSeconds: 0.2 })
    const client = await pool.connect()
    await client.query('begin')
    await bus.send('mail', 'Post', 2, { key: 'held', client })
    const sweep = quickSweep(setup)
    const leave = sweep.join()
    // the first sweep that finds it
    await until(
      async () =>
        (await pool.query(`select from pg_locks where locktype = 'advisory' and not granted and ${OF_THIS_DATABASE}`))
          .rowCount ?? 0,
      count => count > 0,
    )
    const { commandId: other } = await bus.send('mail', 'Post', 3, { key: 'free', expiresInSeconds: 0.01 })
    await ended(setup, other, 'CANCELED')
    expect(await bus.getCommand('mail', held)).toMatchObject({ status: 'PENDING' })
    await client.query('rollback')
    client.release()
    await ended(setup, held, 'CANCELED')
    leave()
    await sweep.close()
  })

  test('F3: is refused with an expiry that cannot be', async () => {
    const { bus } = await createTestBus()
    for (const [options, why] of [
      [{ expiresInSeconds: 0 }, 'must be a number of seconds more than 0'],
      [{ expiresAt: new Date(Date.now() - 1_000) }, 'must be a time in the future'],
      [{ expiresInSeconds: 5, delaySeconds: 10 }, 'must lie after the time at which the command may run'],
    ] as const) {
      await expect(bus.send('mail', 'Post', 1, options)).rejects.toThrow(InvalidInputError)
      await expect(bus.send('mail', 'Post', 1, options)).rejects.toThrow(why)
    }
  })
})

describe('a command that was begun in time', () => {
  test('F3: runs on past its time, is tried again after it, and is begun in the log before its handler runs', async () => {
    const setup = await createTestBus()
    const { bus, work, until, messages } = setup
    const go = signal()
    const seen: unknown[] = []
    const { commandId } = await bus.send('mail', 'Post', 1, {
      expiresInSeconds: 1,
      backoffSeconds: [0.5],
      replyTo: 'answers',
    })
    const Post = async (_: unknown, { attempt }: { readonly attempt: number }) => {
      seen.push((await bus.getHistory('mail', commandId)).items.map(({ event }) => event.type))
      if (attempt === 1) {
        await go.promise
        throw new TransientCommandError('BUSY', 'try again')
      }
      return 'done'
    }
    await work({ domain: 'mail', handlers: { Post } })
    await until(
      async () => seen.length,
      count => count === 1,
    )
    expect(seen).toEqual([['CommandSent', 'CommandReceived']])
    // the sweep of this worker comes by meanwhile
    await delay(2_200)
    go.resolve()
    await ended(setup, commandId, 'COMPLETED')
    expect(await auditNames(bus, 'mail', commandId)).toEqual([
      'SENT',
      'RECEIVED',
      'FAILED',
      'RETRY_SCHEDULED',
      'RECEIVED',
      'COMPLETED',
    ])
    expect((await messages('answers')).map(({ message }) => message.outcome)).toEqual(['SUCCESS'])
  })

  test.skipIf(logIsSeparate)(
    'F3: in races of workers with sweeps each command is begun, or expires once, never both',
    async () => {
      const setup = await createTestBus()
      const { bus, another, work, until, messages, pool } = setup
      const begun: string[] = []
      const sweeps = [quickSweep(setup), quickSweep(setup)]
      const leave = sweeps.map(sweep => sweep.join())
      const Post = async (_: unknown, { command }: { readonly command: { readonly commandId: string } }) => {
        begun.push(command.commandId)
        await delay(20)
      }
      const handlers = { Post }
      await Promise.all([bus, another()].map(of => work({ domain: 'mail', handlers, concurrency: 1 }, of)))
      // makes queues and connections, so that what follows is quick
      await ended(setup, (await bus.send('mail', 'Post', 0, { replyTo: 'answers' })).commandId, 'COMPLETED')
      // the workers need about as long as the last one lasts, and at each moment some are about to expire
      const lasts = (i: number): number => 0.1 + (((i * 37) % COMMANDS) / COMMANDS) * COMMANDS * 0.014
      await bus.sendBatch(
        'mail',
        Array.from({ length: COMMANDS }, (_, i) => ({
          commandType: 'Post',
          data: i,
          replyTo: 'answers',
          expiresInSeconds: lasts(i),
        })),
      )
      await until(
        async () =>
          (await pool.query(`select from command_bus_command where status in ('COMPLETED', 'CANCELED')`)).rowCount,
        count => count === COMMANDS + 1,
      )
      for (const go of leave) go()
      await Promise.all(sweeps.map(sweep => sweep.close()))
      const { rows } = await pool.query<{ command_id: string; status: string; created_at: Date }>(
        'select command_id, status, created_at from command_bus_command',
      )
      const done = rows.filter(({ status }) => status === 'COMPLETED').map(row => row.command_id)
      expect([...begun].sort()).toEqual([...done].sort())
      const replies = (await messages('answers')).map(({ message }) => [message.command_id, message.outcome])
      expect(replies.sort()).toEqual(
        rows.map(row => [row.command_id, row.status === 'COMPLETED' ? 'SUCCESS' : 'CANCELED']).sort(),
      )
      expect(await messages('mail__commands')).toEqual([])
      expect((await bus.maintenance.verifyLog()).findings).toEqual([])
    },
  )

  test.skipIf(logIsSeparate)('F3: 20 sweeps at once expire each of 60 commands once', async () => {
    const setup = await createTestBus()
    const { bus, until, messages, pool } = setup
    const sent = await bus.sendBatch(
      'mail',
      Array.from({ length: 60 }, (_, i) => ({
        commandType: 'Post',
        data: i,
        replyTo: 'answers',
        expiresInSeconds: 0.05,
      })),
    )
    const sweeps = Array.from({ length: 20 }, () => quickSweep(setup))
    const leave = sweeps.map(sweep => sweep.join())
    await until(
      async () => (await pool.query(`select from command_bus_command where status = 'CANCELED'`)).rowCount,
      count => count === sent.length,
    )
    for (const go of leave) go()
    await Promise.all(sweeps.map(sweep => sweep.close()))
    expect(await messages('answers')).toHaveLength(sent.length)
    const { rows } = await pool.query(`select count(*)::int as n from command_bus_event where type = 'CommandExpired'`)
    expect(rows).toEqual([{ n: sent.length }])
  })
})
