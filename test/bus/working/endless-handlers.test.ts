import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type CommandBus,
  createCommandBus,
  defineHandler,
  type HandlerContext,
  InvalidOperationError,
} from '../../../src/index.ts'
import { Deadline } from '../../../src/infrastructure/worker/attempt/deadline.ts'
import { createTestBus, logIsSeparate, signal } from '../../support/bus.ts'
import { auditNames, isParked } from '../../support/park.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const jane = { operator: 'jane@example.com', reason: 'it hangs' }

/** Handlers that ignore their signal and end only when the test is over. */
const hanging: (() => void)[] = []
afterEach(() => {
  for (const end of hanging.splice(0)) end()
})
const never = (): Promise<void> => new Promise(resolve => hanging.push(resolve))

const isRunning = (command: { readonly status: string } | null): boolean => command?.status === 'IN_PROGRESS'
const isDone = (command: { readonly status: string } | null): boolean => command?.status === 'COMPLETED'

/** A logger that collects its lines. */
const noting = () => {
  const lines: { readonly fields: Record<string, unknown>; readonly message: string }[] = []
  const note = (fields: object, message: string): void => void lines.push({ fields: { ...fields }, message })
  return { log: { debug: () => {}, info: note, warn: note, error: note }, lines }
}

describe('a handler that never ends', () => {
  test('R6: is named by health; when an operator ends its attempt, its slot is free for other commands', async () => {
    const { log, lines } = noting()
    const { bus, work, until, messages, archived } = await createTestBus({ log })
    const signals: AbortSignal[] = []
    const worker = await work({
      domain: 'payments',
      concurrency: 2,
      leaseSeconds: 1,
      longRunningMs: 100,
      handlers: {
        Hang: (_, context) => {
          signals.push(context.signal)
          return never()
        },
        Charge: () => 'done',
      },
    })
    const hangs = await bus.sendBatch('payments', Array(2).fill({ commandType: 'Hang', data: {} }))
    const [one, two] = hangs.map(({ commandId }) => commandId) as [string, string]
    const { status, reasons } = await until(
      async () => worker.health(),
      health => health.status === 'critical',
    )
    expect(status).toBe('critical')
    expect(reasons.join()).toContain('2 of 2 handlers run longer than 100 ms: Hang (')
    for (const id of [one, two]) expect(reasons.join()).toContain(id)
    const waiting = await bus.send('payments', 'Charge', {})

    const ended = await bus.troubleshooting.endAttempt('payments', one.toUpperCase(), jane)
    expect(ended).toEqual({ commandId: one, status: 'IN_TROUBLESHOOTING_QUEUE' })
    const parked = await bus.getCommand('payments', one)
    expect(parked).toMatchObject({
      parkedReason: 'ATTEMPT_ENDED',
      lastErrorType: 'ATTEMPT_ENDED',
      lastErrorCode: 'ATTEMPT_ENDED',
      lastErrorMsg: 'an operator ended attempt 1: it hangs',
      attempts: 1,
      leaseExpiresAt: null,
    })
    expect((await archived('payments__commands')).map(({ message }) => message.command_id)).toEqual([one])
    expect((await messages('payments__commands')).map(({ message }) => message.command_id)).not.toContain(one)
    await until(() => bus.getCommand('payments', waiting.commandId), isDone)
    expect(signals.filter(({ aborted }) => aborted)).toHaveLength(1)
    expect(await auditNames(bus, 'payments', one)).toEqual(['SENT', 'RECEIVED', 'OPERATOR_END_ATTEMPT'])
    await until(
      async () => worker.health(),
      health => health.status === 'degraded' && health.reasons.join().includes('1 of 2 handlers'),
    )
    await until(
      async () => lines,
      all => all.some(({ fields, message }) => fields.commandId === one && message.includes('does not count')),
    )
    expect(lines.filter(({ message }) => message.includes('parked'))).toEqual([
      {
        fields: { domain: 'payments', commandId: one, operator: jane.operator, reason: 'it hangs' },
        message: 'parked: an operator ended the attempt',
      },
    ])
    expect(await bus.troubleshooting.groups({ errorCode: 'ATTEMPT_ENDED' })).toMatchObject([{ count: 1 }])
    expect((await bus.troubleshooting.listAt({ domain: 'payments' })).items).toMatchObject([
      { commandId: one, parkedReason: 'ATTEMPT_ENDED' },
    ])
    const { items } = await bus.getHistory('payments', one)
    expect(items.at(-1)).toMatchObject({
      actor: jane.operator,
      event: { type: 'OperatorEndedAttempt', reason: 'it hangs' },
      state: { status: 'IN_TROUBLESHOOTING_QUEUE', parkedReason: 'ATTEMPT_ENDED', workerId: null },
    })
  })

  test.each([
    ['succeeds', (go: Promise<void>) => go.then(() => 'late')],
    ['fails', (go: Promise<void>) => go.then(() => Promise.reject(new Error('late')))],
  ])(
    'R6: a handler that still %s after its attempt was ended changes nothing, also when the command runs again',
    async (_, end) => {
      const { bus, work, until } = await createTestBus()
      const [go, again] = [signal(), signal<HandlerContext>()]
      const lateEnd = signal()
      let runs = 0
      await work({
        domain: 'payments',
        leaseSeconds: 1,
        handlers: {
          Charge: async (_, context) => {
            runs++
            if (runs === 1) return end(go.promise).finally(() => lateEnd.resolve())
            again.resolve(context)
            await once(context.signal, 'abort')
            return 'told to stop'
          },
        },
      })
      const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
      await until(() => bus.getCommand('payments', commandId), isRunning)
      await bus.troubleshooting.endAttempt('payments', commandId, jane)
      await bus.troubleshooting.retry('payments', commandId, jane)
      const second = await again.promise
      expect(second).toMatchObject({ attempt: 1, totalAttempts: 2 })
      await until(() => bus.getCommand('payments', commandId), isRunning)
      go.resolve()
      await lateEnd.promise
      // a handler that listens to its signal and ends in time does not count either
      await bus.troubleshooting.endAttempt('payments', commandId, jane)
      await once(second.signal, 'abort').catch(() => {})
      const parked = await bus.getCommand('payments', commandId)
      expect(parked).toMatchObject({
        status: 'IN_TROUBLESHOOTING_QUEUE',
        parkedReason: 'ATTEMPT_ENDED',
        totalAttempts: 2,
      })
      expect(await auditNames(bus, 'payments', commandId)).toEqual([
        'SENT',
        'RECEIVED',
        'OPERATOR_END_ATTEMPT',
        'OPERATOR_RETRY',
        'RECEIVED',
        'OPERATOR_END_ATTEMPT',
      ])
    },
  )

  // needs one transaction for the handler and its command
  test.skipIf(logIsSeparate)(
    'R6: the writes of a transactional handler in an ended attempt are rolled back, and its connection is free',
    async () => {
      const { bus, pool, work, until } = await createTestBus()
      await pool.query('create table effects (id int)')
      const wrote = signal()
      await work({
        domain: 'payments',
        concurrency: 1,
        leaseSeconds: 1,
        handlers: {
          Hang: defineHandler({
            transactional: true,
            handle: async (_, { client }) => {
              await client.query('insert into effects values (1)')
              wrote.resolve()
              await never()
            },
          }),
          Charge: defineHandler({
            transactional: true,
            handle: (_, { client }) => client.query('select 1').then(() => 1),
          }),
        },
      })
      const { commandId } = await bus.send('payments', 'Hang', {})
      const waiting = await bus.send('payments', 'Charge', {})
      await wrote.promise
      await until(() => bus.getCommand('payments', commandId), isRunning)
      await bus.troubleshooting.endAttempt('payments', commandId, jane)
      await until(() => bus.getCommand('payments', waiting.commandId), isDone)
      expect((await pool.query('select * from effects')).rows).toEqual([])
      expect((await bus.getCommand('payments', commandId))?.parkedReason).toBe('ATTEMPT_ENDED')
    },
  )

  test('R6: only a running attempt can be ended, and only with a reason; of two operators one succeeds', async () => {
    const { bus, work, until } = await createTestBus()
    await work({ domain: 'payments', leaseSeconds: 1, handlers: { Hang: never } })
    const { commandId } = await bus.send('payments', 'Hang', {})
    const later = await bus.send('shop', 'Later', {})
    const end = (domain: string, id: string, options: object = jane) =>
      bus.troubleshooting.endAttempt(domain, id, options as typeof jane)
    await expect(end('shop', later.commandId)).rejects.toThrow(
      'is PENDING, not IN_PROGRESS: there is no attempt to end',
    )
    await expect(end('payments', later.commandId)).rejects.toThrow('no command')
    await until(() => bus.getCommand('payments', commandId), isRunning)
    await expect(end('payments', commandId, { operator: 'jane', reason: ' ' })).rejects.toThrow(
      'reason: must not be blank',
    )
    await expect(end('payments', commandId, { reason: 'it hangs' })).rejects.toThrow('operator')
    await expect(end('payments', commandId, { ...jane, tenantId: 't2' })).rejects.toThrow('no command')
    const plan = await bus.troubleshooting.endAttempt('payments', commandId, { ...jane, dryRun: true })
    expect(plan.dryRun).toMatchObject({
      from: 'IN_PROGRESS',
      to: 'IN_TROUBLESHOOTING_QUEUE',
      messages: [],
      replies: [],
    })
    expect((await bus.getCommand('payments', commandId))?.status).toBe('IN_PROGRESS')
    const both = await Promise.allSettled([end('payments', commandId), end('payments', commandId)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(one => one.status === 'rejected')?.reason).toBeInstanceOf(InvalidOperationError)
    const operator = bus.as({ subject: 'joe', tenant: null, roles: ['OPERATOR'] })
    await expect(operator.troubleshooting.endAttempt('payments', commandId, jane)).rejects.toThrow(
      InvalidOperationError,
    )
    const sender = bus.as({ subject: 'shop', tenant: null, roles: ['SENDER', 'AUDITOR', 'USER'] })
    await expect(sender.troubleshooting.endAttempt('payments', commandId, jane)).rejects.toThrow('OPERATOR, ADMIN')
  })

  test('R6: an operation of an ended attempt has failed, with a text for its owner, who may retry it', async () => {
    const { bus, work, until } = await createTestBus()
    await work({ domain: 'operations', leaseSeconds: 1, handlers: { ask: never } })
    const ada = { subject: 'ada', tenant: null }
    const { id } = await bus.operations.start(ada, { operation_type: 'ask', parameters: {} })
    await until(() => bus.getCommand('operations', id), isRunning)
    await bus.troubleshooting.endAttempt('operations', id, jane)
    expect(await bus.operations.get(ada, id)).toMatchObject({
      status: 'failed',
      error_message: expect.stringMatching(/took too long.* What to do: /),
      retriable: true,
    })
    expect((await bus.operations.retry(ada, id)).parent_operation_id).toBe(id)
  })
})

describe('the deadline of handlers', () => {
  const timedOut = async (bus: CommandBus, until: typeof import('../../support/bus.ts')['until'], type: string) => {
    const { commandId } = await bus.send('payments', type, {}, { maxAttempts: 1 })
    return until(
      () => bus.getCommand('payments', commandId),
      found => isParked(found) || isDone(found),
    )
  }

  test('R6: applies to all handlers of a worker; a handler may set its own, or switch it off explicitly', async () => {
    const { bus, work, until } = await createTestBus()
    const go = signal()
    const signals: Record<string, AbortSignal> = {}
    const hang = (_: unknown, { signal: told, command }: HandlerContext) => {
      signals[command.commandType] = told
      return never()
    }
    const wait = () => go.promise
    await work({
      domain: 'payments',
      handlerTimeoutMs: 100,
      handlers: {
        Plain: hang,
        Own: defineHandler({ timeoutMs: 50, handle: hang as never }),
        Longer: defineHandler({ timeoutMs: 60_000, handle: wait }),
        Null: defineHandler({ timeoutMs: null, handle: wait }),
        Infinite: defineHandler({ timeoutMs: Number.POSITIVE_INFINITY, handle: wait }),
      },
    })
    const waiting = ['Longer', 'Null', 'Infinite'].map(type => timedOut(bus, until, type))
    const plain = await timedOut(bus, until, 'Plain')
    expect(plain).toMatchObject({ lastErrorCode: 'TIMEOUT', lastErrorMsg: 'the handler did not end within 100 ms' })
    const own = await timedOut(bus, until, 'Own')
    expect(own).toMatchObject({ lastErrorCode: 'TIMEOUT', lastErrorMsg: 'the handler did not end within 50 ms' })
    expect(signals.Plain?.aborted && signals.Own?.aborted).toBe(true)
    go.resolve()
    expect((await Promise.all(waiting)).map(found => found?.status)).toEqual(Array(3).fill('COMPLETED'))
  })

  test('R6: a handler within a long deadline of its own does not make health critical, however few the slots', async () => {
    const { bus, work, until } = await createTestBus()
    const worker = await work({
      domain: 'payments',
      concurrency: 1,
      longRunningMs: 100,
      handlers: { Import: defineHandler({ timeoutMs: 3_600_000, handle: never }) },
    })
    await bus.send('payments', 'Import', {})
    const { status } = await until(
      async () => worker.health(),
      ({ reasons }) => reasons.some(reason => reason.includes('1 of 1 handlers run longer than 100 ms: Import')),
    )
    expect(status).toBe('degraded')
  })

  test('R6: does not keep the process alive after its worker was stopped', async () => {
    const { bus, database } = await createTestBus()
    await bus.send('payments', 'Hang', {})
    const program = `
      const { createCommandBus } = await import(${JSON.stringify(pathToFileURL(join(compiledSource(), 'index.js')).href)})
      const bus = createCommandBus({ databaseUrl: ${JSON.stringify(database.url)} })
      let running
      const runs = new Promise(resolve => { running = resolve })
      const worker = bus.worker({ domain: 'payments', handlers: { Hang: () => { running(); return new Promise(() => {}) } } })
      await worker.start()
      await runs
      while ((await bus.queryCommands({})).items[0].status !== 'IN_PROGRESS');
      await worker.stop({ deadlineMs: 0 })
      await bus.close()
      console.log('closed')`
    const ended = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 60_000,
    })
    expect(ended).toEqual({ stdout: 'closed\n', stderr: '' })
  })

  test('R6: a handler whose attempt was ended before it started never starts', async () => {
    const deadline = new Deadline(60_000, 25, () => {})
    deadline.cut(new Error('the lease of this message is lost'))
    const ran = new Promise((returned, threw) => deadline.run(() => expect.unreachable(), { returned, threw }))
    await expect(ran).rejects.toThrow('the lease of this message is lost')
  })

  test('R6: an invalid deadline is refused when the worker is made, with a reason', async () => {
    const bus = createCommandBus({ databaseUrl: 'postgres://127.0.0.1/nobody-connects' })
    for (const handlerTimeoutMs of [0, -1, Number.NaN, 1e12, '5', 'never']) {
      const make = () => bus.worker({ domain: 'payments', handlerTimeoutMs: handlerTimeoutMs as never })
      expect(make).toThrow('handlerTimeoutMs: must be more than 0 and at most 2147483647 ms, or null for no deadline')
    }
    for (const timeoutMs of [0, -1, Number.NaN, 1e12, '5']) {
      const handlers = { Charge: { handle: () => null, timeoutMs } as never }
      expect(() => bus.worker({ domain: 'payments', handlers })).toThrow(
        'handlers.Charge: its timeoutMs must be more than 0',
      )
    }
    for (const longRunningMs of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => bus.worker({ domain: 'payments', longRunningMs })).toThrow('longRunningMs: must be a whole number')
    }
    for (const fine of [null, Number.POSITIVE_INFINITY, 1, 0.5])
      bus.worker({ domain: 'payments', handlerTimeoutMs: fine })
    await bus.close()
  })
})
