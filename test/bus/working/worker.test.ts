import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { defineHandler, type HandlerContext } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal } from '../../support/bus.ts'
import { auditNames, isParked, parked } from '../../support/park.ts'

describe('leases and attempts', () => {
  test('A17: a command whose handler runs for a while is IN_PROGRESS with its lease, and its attempt is in the audit', async () => {
    const { bus, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const go = signal()
    const worker = await work({ domain: 'payments', handlers: { Charge: () => go.promise }, leaseSeconds: 30 })
    const running = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'IN_PROGRESS',
    )
    expect(running).toMatchObject({ attempts: 1, totalAttempts: 1 })
    const lease = Date.parse(running?.leaseExpiresAt ?? '') - Date.parse(running?.updatedAt ?? '')
    expect(lease).toBe(30_000)
    expect((await bus.getAuditTrail('payments', commandId)).at(-1)).toMatchObject({
      eventType: 'RECEIVED',
      actor: worker.workerId,
      details: { attempt: 1, lost: false },
    })
    go.resolve()
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(await auditNames(bus, 'payments', commandId)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
  })

  test('A17: an attempt whose worker left no trace is recorded as lost by the next one', async () => {
    const { bus, pool, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    // a worker reads, and dies before it can record anything
    await pool.query(`select pgmq.read('payments__commands', 30, 1)`)
    await pool.query('update pgmq.q_payments__commands set vt = now()')
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done).toMatchObject({ attempts: 2, totalAttempts: 2 })
    expect((await bus.getAuditTrail('payments', commandId)).slice(1, 3)).toMatchObject([
      { eventType: 'RECEIVED', actor: 'worker:unknown', details: { attempt: 1, lost: true } },
      { eventType: 'RECEIVED', details: { attempt: 2, lost: false } },
    ])
  })

  test('A27: a command that loses every worker is parked as LEASE_LOST, and is not delivered again', async () => {
    const { bus, pool, work, until, messages, archived } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 3, replyTo: 'replies' })
    for (let i = 0; i < 3; i++) {
      await pool.query(`select pgmq.read('payments__commands', 30, 1)`)
      await pool.query('update pgmq.q_payments__commands set vt = now()')
    }
    await work({ domain: 'payments', handlers: { Charge: () => expect.unreachable() } })
    expect(await until(() => bus.getCommand('payments', commandId), isParked)).toMatchObject({
      parkedReason: 'LEASE_LOST',
      attempts: 3,
      totalAttempts: 3,
    })
    expect(await messages('payments__commands')).toEqual([])
    expect(await archived('payments__commands')).toHaveLength(1)
    expect(await messages('replies')).toEqual([])
  })

  test('A27: commands whose worker died run one at a time, beside others, and lose no attempt while they wait', async () => {
    const { bus, pool, work, until, messages } = await createTestBus()
    const suspects = await bus.sendBatch('payments', Array(4).fill({ commandType: 'Charge', data: {} }))
    // a worker reads them all, and dies
    await pool.query(`select pgmq.read('payments__commands', 0, 4)`)
    let atOnce = 0
    let most = 0
    const began = signal()
    const go = signal()
    const Charge = async () => {
      most = Math.max(most, ++atOnce)
      began.resolve()
      await go.promise
      atOnce--
    }
    await work({ domain: 'payments', concurrency: 8, handlers: { Charge, Other: () => null } })
    await began.promise
    const { commandId } = await bus.send('payments', 'Other', {})
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(most).toBe(1)
    // the one that runs was read once more; the others were given back, uncounted
    const counts = async () => (await messages('payments__commands')).map(({ read_ct }) => read_ct).sort()
    await until(counts, found => found.join() === '1,1,1,2')
    go.resolve()
    for (const suspect of suspects) {
      const done = await until(
        () => bus.getCommand('payments', suspect.commandId),
        c => c?.status === 'COMPLETED',
      )
      expect(done?.totalAttempts).toBe(2)
    }
    expect(most).toBe(1)
  })

  test('A17: a stale worker cannot finish a newer attempt', async () => {
    const { bus, another, pool, work, until, messages } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    const started = [signal(), signal()]
    const go = [signal(), signal()]
    const slow = (i: number) => ({
      Charge: async () => {
        started[i]?.resolve()
        await go[i]?.promise
        return `worker ${i}`
      },
    })
    // the old one has no slot to read for, so it cannot find the message again, and does not extend its lease
    await work({ domain: 'payments', workerId: 'old', handlers: slow(0), concurrency: 1, leaseSeconds: 3600 })
    await started[0]?.promise
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'IN_PROGRESS',
    )
    await pool.query('update pgmq.q_payments__commands set vt = now()')
    await work({ domain: 'payments', workerId: 'new', handlers: slow(1) }, another())
    await started[1]?.promise
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.attempts === 2,
    )

    go[0]?.resolve()
    go[1]?.resolve()
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done).toMatchObject({ result: 'worker 1', attempts: 2 })
    expect(await messages('replies')).toHaveLength(1)
    expect(await auditNames(bus, 'payments', commandId)).toEqual(['SENT', 'RECEIVED', 'RECEIVED', 'COMPLETED'])
  })

  test("A26: the heartbeat extends a long handler's lease: nobody else gets the message", async () => {
    const { bus, another, pool, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const go = signal()
    let runs = 0
    const handlers = {
      Charge: async () => {
        runs++
        await go.promise
      },
    }
    await work({ domain: 'payments', handlers, leaseSeconds: 1 })
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'IN_PROGRESS',
    )
    await work({ domain: 'payments', handlers, leaseSeconds: 1 }, another())
    const first = (await pool.query('select vt, vt + interval $$2 seconds$$ as late from pgmq.q_payments__commands'))
      .rows[0]
    // the lease is extended past where it would have ended twice
    await until(
      async () => (await pool.query('select vt from pgmq.q_payments__commands')).rows[0].vt,
      vt => vt > first.late,
    )
    go.resolve()
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(runs).toBe(1)
  })

  test('A26: the signal of a handler that loses its lease is aborted', async () => {
    const { bus, pool, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const aborted = signal<unknown>()
    await work({
      domain: 'payments',
      leaseSeconds: 1,
      handlers: {
        Charge: async (_, context) => {
          await once(context.signal, 'abort')
          aborted.resolve(context.signal.reason)
        },
      },
    })
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'IN_PROGRESS',
    )
    // another worker has read it since
    await pool.query('update pgmq.q_payments__commands set read_ct = read_ct + 1')
    expect(String(await aborted.promise)).toMatch(/lease/)
  })

  test('A26: at its timeout a handler is aborted, and its attempt counts as a transient failure', async () => {
    const { bus, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
    const contexts: HandlerContext[] = []
    await work({
      domain: 'payments',
      handlers: {
        Charge: {
          timeoutMs: 30,
          handle: (_: unknown, context: HandlerContext) => {
            contexts.push(context)
            return new Promise(() => {})
          },
        },
      },
    })
    expect(await until(() => bus.getCommand('payments', commandId), isParked)).toMatchObject({
      lastErrorType: 'TRANSIENT',
      lastErrorCode: 'TIMEOUT',
    })
    expect(contexts[0]?.signal.aborted).toBe(true)
  })

  test('A28: extendVisibility extends the lease', async () => {
    const { bus, pool, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const extended = signal()
    const go = signal()
    await work({
      domain: 'payments',
      handlers: {
        Charge: async (_, { extendVisibility }) => {
          await extendVisibility(600)
          extended.resolve()
          await go.promise
        },
      },
    })
    await extended.promise
    const { rows } = await pool.query(
      `select vt > now() + interval '590 seconds' as far from pgmq.q_payments__commands`,
    )
    expect(rows).toEqual([{ far: true }])
    go.resolve()
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
  })
})

describe('stray messages', () => {
  test('A24: a message of a finished or parked command is archived, without an event', async () => {
    const test = await createTestBus()
    const { bus, pool, work, until, messages, archived } = test
    const parkedId = await parked(test)
    const done = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    const handled: string[] = []
    await work({ domain: 'payments', handlers: { Charge: (_, { command }) => void handled.push(command.commandId) } })
    await until(
      () => bus.getCommand('payments', done.commandId),
      c => c?.status === 'COMPLETED',
    )
    const before = await pool.query('select count(*) from command_bus_event')
    for (const command_id of [parkedId, done.commandId]) {
      await pool.query(`select pgmq.send('payments__commands', $1::jsonb)`, [
        JSON.stringify({ command_id, type: 'Charge', domain: 'payments', data: {} }),
      ])
    }
    await until(
      () => archived('payments__commands'),
      found => found.length === 3,
    )
    expect(await messages('payments__commands')).toEqual([])
    expect(handled).toEqual([done.commandId])
    expect((await pool.query('select count(*) from command_bus_event')).rows).toEqual(before.rows)
    expect(await bus.getCommand('payments', done.commandId)).toMatchObject({ status: 'COMPLETED' })
    expect(await messages('replies')).toHaveLength(1)
  })

  test('A24, F13: a message without a known command is kept with a warning, whatever it contains', async () => {
    const warnings: object[] = []
    const { bus, pool, work, until, messages } = await createTestBus({
      log: { debug: () => {}, info: () => {}, error: () => {}, warn: fields => void warnings.push(fields) },
    })
    await bus.send('payments', 'Charge', {})
    const strays = [
      '"text"',
      'null',
      '{}',
      '[1]',
      '{"command_id": 7}',
      '{"command_id": "01a200e7-9826-75ab-81b7-8c8837dfbce2"}',
      '{"command_id": "01a200e7-9826-75ab-81b7-8c8837dfbce2", "domain": "billing"}',
    ]
    for (const stray of strays) await pool.query(`select pgmq.send('payments__commands', $1::jsonb)`, [stray])
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    await until(
      () => bus.strangers.list(),
      ({ items }) => items.length === strays.length,
    )
    expect(
      await until(
        () => messages('payments__commands'),
        found => found.length === 0,
      ),
    ).toEqual([])
    expect(warnings).toHaveLength(strays.length)
  })
})

describe('many slots, many workers', () => {
  test('A26: as many handlers run at once as the concurrency allows, and never more', async () => {
    const { bus, work } = await createTestBus()
    const total = 40
    await bus.sendBatch(
      'payments',
      Array.from({ length: total }, () => ({ commandType: 'Charge', data: {} })),
    )
    let now = 0
    let most = 0
    let ended = 0
    const full = signal()
    const done = signal()
    await work({
      domain: 'payments',
      concurrency: 4,
      handlers: {
        Charge: async () => {
          most = Math.max(most, ++now)
          if (now === 4) full.resolve()
          await full.promise
          now--
          if (++ended === total) done.resolve()
        },
      },
    })
    await done.promise
    expect(most).toBe(4)
  })

  test('A26: 10 workers share 1,000 commands, each is handled once', async () => {
    const { bus, another, work, pool, until } = await createTestBus()
    const total = 1000
    await bus.sendBatch(
      'payments',
      Array.from({ length: total }, (_, i) => ({ commandType: 'Charge', data: { i }, replyTo: 'replies' })),
    )
    const handled: number[] = []
    const handlers = { Charge: (data: unknown) => void handled.push((data as { i: number }).i) }
    for (let i = 0; i < 10; i++)
      await work({ domain: 'payments', handlers, concurrency: 5 }, another({ maxConnections: 3 }))
    const count = async () =>
      (await pool.query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)).rows[0].n
    await until(count, n => n === total)
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i))
    expect((await pool.query('select count(*)::int as n from pgmq.q_replies')).rows[0].n).toBe(total)
  })

  test('A26: a graceful stop lets handlers end, and gives back messages that no handler started, without counting an attempt', async () => {
    const { bus, work, messages, until } = await createTestBus()
    const sent = await bus.send('payments', 'Charge', {})
    const began = signal()
    const go = signal()
    const worker = await work({
      domain: 'payments',
      concurrency: 1,
      handlers: {
        Charge: async () => {
          began.resolve()
          await go.promise
          return 'ended'
        },
      },
    })
    await began.promise
    const stopped = worker.stop()
    const late = await bus.send('payments', 'Charge', {})
    go.resolve()
    await stopped
    const done = await until(
      () => bus.getCommand('payments', sent.commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done).toMatchObject({ result: 'ended' })
    expect(await bus.getCommand('payments', late.commandId)).toMatchObject({ status: 'PENDING', attempts: 0 })
    const [message] = await messages('payments__commands')
    expect(message).toMatchObject({ read_ct: 0 })
    expect(message?.vt.getTime()).toBeLessThanOrEqual(Date.now())
  })

  test('A26: at the deadline of a stop a message goes back at once, and its attempt counts', async () => {
    const { bus, another, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const began = signal<HandlerContext>()
    const stuck = await work({
      domain: 'payments',
      handlers: {
        Charge: (_, context) => {
          began.resolve(context)
          return new Promise(() => {})
        },
      },
    })
    const context = await began.promise
    await stuck.stop({ deadlineMs: 1 })
    expect(context.signal.aborted).toBe(true)
    await work({ domain: 'payments', handlers: { Charge: (_, { attempt }) => attempt } }, another())
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done).toMatchObject({ result: 2, totalAttempts: 2 })
  })

  test('A26: a notification wakes a worker of another process long before it would poll', async () => {
    const { bus, another, work, until } = await createTestBus()
    const worker = await work({ domain: 'payments', handlers: { Charge: () => null }, pollMs: 60_000 }, another())
    await until(
      async () => worker.health(),
      health => health.status === 'healthy',
    )
    const { commandId } = await bus.send('payments', 'Charge', {})
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
  })

  test('A26: without notifications work is found by polling', async () => {
    const { bus, pool, work, until } = await createTestBus()
    await work({ domain: 'payments', handlers: { Charge: () => null }, pollMs: 20 })
    const client = await pool.connect()
    const { commandId } = await bus.send('payments', 'Charge', {}, { client })
    client.release()
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
  })

  test('A29: health is healthy, degraded or critical, with reasons', async () => {
    let now = new Date('2026-01-01T00:00:00Z')
    const { bus, pool, until, work } = await createTestBus({ clock: { now: () => now, random: () => 0 } })
    expect(bus.worker({ domain: 'payments' }).health()).toMatchObject({ status: 'critical' })
    const worker = await work({ domain: 'payments', handlers: {} })
    await until(
      async () => worker.health(),
      health => health.status === 'healthy',
    )
    await pool.query('alter table pgmq.q_payments__commands rename to q_hidden')
    const degraded = await until(
      async () => worker.health(),
      // the first extension of leases may fail before the next read does
      ({ reasons }) => reasons.some(reason => reason.includes('the queue could not be read')),
    )
    expect(degraded).toMatchObject({ status: 'degraded' })
    now = new Date('2026-01-01T00:01:00Z')
    expect(worker.health()).toMatchObject({ status: 'critical' })
    await pool.query('alter table pgmq.q_hidden rename to q_payments__commands')
    await until(
      async () => worker.health(),
      health => health.status === 'healthy',
    )
  })

  // transactional handlers are refused with the log in EventStoreDB
  test.skipIf(logIsSeparate)(
    'A29: a broken connection under a transactional handler costs an attempt, and does not end the process',
    async () => {
      const { bus, pool, work, until } = await createTestBus()
      const { commandId } = await bus.send('payments', 'Charge', {}, { backoffSeconds: [0] })
      await work({
        domain: 'payments',
        handlers: {
          Charge: defineHandler({
            transactional: true,
            handle: async (_, { client, attempt }) => {
              if (attempt > 1) return attempt
              const { rows } = await client.query('select pg_backend_pid() as pid')
              const cut = once(client, 'error')
              await pool.query('select pg_terminate_backend($1)', [rows[0].pid])
              await cut
              return attempt
            },
          }),
        },
      })
      const done = await until(
        () => bus.getCommand('payments', commandId),
        c => c?.status === 'COMPLETED',
      )
      expect(done).toMatchObject({ result: 2, totalAttempts: 2 })
    },
  )

  test('A29: a worker survives the end of every connection and loses nothing', async () => {
    const { bus, pool, work, until } = await createTestBus()
    const total = 1000
    await bus.sendBatch(
      'payments',
      Array.from({ length: total }, (_, i) => ({
        commandType: 'Charge',
        data: { i },
        replyTo: 'replies',
        maxAttempts: 20,
      })),
    )
    let cuts = 0
    const cut = async () => {
      cuts++
      await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'commandbus'`,
      )
    }
    let handled = 0
    await work({
      domain: 'payments',
      concurrency: 5,
      leaseSeconds: 2,
      handlers: {
        Charge: async () => {
          if (++handled % 200 === 0) await cut()
        },
      },
    })
    const count = async () =>
      (await pool.query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)).rows[0].n
    await until(count, n => n === total)
    expect(cuts).toBeGreaterThan(2)
    const { rows } = await pool.query(
      `select count(*)::int as replies, count(distinct message->>'command_id')::int as commands from pgmq.q_replies`,
    )
    expect(rows[0]).toEqual({ replies: total, commands: total })
    expect((await pool.query('select count(*)::int as n from pgmq.q_payments__commands')).rows[0].n).toBe(0)
  })
})
