import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { errorCodes, errorMessage } from '../../../src/domain/operation/error-catalogue.ts'
import {
  ForbiddenError,
  OperationNotFoundError,
  OperationNotRetriableError,
  PermanentCommandError,
  TransientCommandError,
} from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'

const ada = { subject: 'ada', tenant: null }
const bob = { subject: 'bob', tenant: null }
const question = {
  operation_type: 'question_generation',
  session_id: 's-1',
  message_id: 'm-1',
  parameters: { topic: 'x' },
}

const down = () => {
  throw new TransientCommandError('SERVER_ERROR', 'the model answered 503')
}

/** Ends the waits of all retries at once. */
const impatient = async ({ pool }: TestBus): Promise<void> => {
  await pool.query('update pgmq.q_operations__commands set vt = now() where vt > now() and read_ct > 0')
}

const isOver = (operation: { readonly status: string }): boolean => ['completed', 'failed'].includes(operation.status)

/** Starts an operation that fails permanently; returns its id. */
const failed = async (test: TestBus, owner = ada): Promise<string> => {
  const { id } = await test.bus.operations.start(owner, question)
  const worker = test.bus.worker({
    domain: 'operations',
    pollMs: 20,
    handlers: {
      '*': () => {
        throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
      },
    },
  })
  await worker.start()
  await test.until(() => test.bus.operations.get(owner, id), isOver)
  await worker.stop()
  return id
}

describe('automatic retry', () => {
  test('B1: a transient failure is retried after 1, 2 and 4 seconds, each up to 10 % longer, four attempts in all', async () => {
    const lines: {
      readonly fields: { attempt?: number; waitMs?: number; error?: { code: string } }
      readonly message: string
    }[] = []
    const { bus, work, until } = await createTestBus({
      log: {
        debug: () => {},
        warn: () => {},
        error: () => {},
        info: (fields, message) => void lines.push({ fields, message }),
      },
    })
    const starts: number[] = []
    const { id } = await bus.operations.start(ada, question)
    await work({
      domain: 'operations',
      handlers: {
        question_generation: () => {
          starts.push(Date.now())
          return down()
        },
      },
    })
    const over = await until(() => bus.operations.get(ada, id), isOver)
    expect(over.status).toBe('failed')
    expect(starts).toHaveLength(4)

    const audit = await bus.getAuditTrail('operations', id)
    const waits = audit.flatMap((entry, i) =>
      entry.eventType === 'RETRY_SCHEDULED'
        ? [Date.parse((entry.details as { retry_at: string }).retry_at) - Date.parse(audit[i]?.ts ?? '')]
        : [],
    )
    expect(waits).toHaveLength(3)
    for (const [i, base] of [1000, 2000, 4000].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(base)
      expect(waits[i]).toBeLessThanOrEqual(base * 1.1)
      expect((starts[i + 1] as number) - (starts[i] as number)).toBeGreaterThanOrEqual(base)
    }
    const retries = lines.filter(({ message }) => message.includes('tried again'))
    expect(retries.map(({ fields }) => [fields.attempt, fields.waitMs, fields.error?.code])).toEqual(
      waits.map((wait, i) => [i + 1, wait, 'SERVER_ERROR']),
    )
  })

  test('B1: the waits are kept in the queue: a restart between two attempts loses nothing', async () => {
    const test = await createTestBus()
    const first = test.another()
    const { id } = await first.operations.start(ada, question)
    const worker = first.worker({ domain: 'operations', pollMs: 20, handlers: { '*': down } })
    await worker.start()
    await test.until(
      () => test.bus.getCommand('operations', id),
      c => c?.lastErrorCode === 'SERVER_ERROR',
    )
    await first.close()
    await impatient(test)
    await test.work({ domain: 'operations', handlers: { '*': (_, { attempt }) => `attempt ${attempt}` } })
    expect(await test.until(() => test.bus.operations.get(ada, id), isOver)).toMatchObject({
      status: 'completed',
      result: 'attempt 2',
    })
  })

  test('B1: any other failure is not retried', async () => {
    const test = await createTestBus()
    const id = await failed(test)
    expect(await test.bus.getCommand('operations', id)).toMatchObject({ status: 'FAILED', totalAttempts: 1 })
  })

  test.each([
    ['an error of the handler itself', new TypeError('x is not a function'), 1],
    ['an answer that refuses', Object.assign(new Error('Bad Request'), { status: 400 }), 1],
    ['a connection that failed', Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } }), 2],
    ['an answer that says later', Object.assign(new Error('Service Unavailable'), { statusCode: 503 }), 2],
    ['a deadline', AbortSignal.abort(new DOMException('too late', 'TimeoutError')).reason, 2],
  ])('B1: %s, thrown unchanged, gets the right number of attempts', async (_, thrown, attempts) => {
    const { bus, work, until } = await createTestBus()
    const { id } = await bus.operations.start(ada, question)
    await work({
      domain: 'operations',
      handlers: {
        '*': (_data, { totalAttempts }) => {
          if (totalAttempts === 1) throw thrown
        },
      },
    })
    await until(() => bus.operations.get(ada, id), isOver)
    expect(await bus.getCommand('operations', id)).toMatchObject({ totalAttempts: attempts })
  })

  test('B2: a failed operation says what happened and what to do, for every code and for an unknown one', async () => {
    const test = await createTestBus()
    const id = await failed(test)
    const operation = await test.bus.operations.get(ada, id)
    expect(operation).toMatchObject({ status: 'failed', retriable: true })
    expect(operation.error_message).toBe(errorMessage('UNAUTHORIZED'))
    for (const code of [...errorCodes, 'SOMETHING_NEW', '__proto__', 'constructor']) {
      const parts = errorMessage(code).split('What to do:')
      expect(parts).toHaveLength(2)
      for (const part of parts) expect(part.trim()).toMatch(/^[A-Z].{10,}\.$/)
    }
  })

  test('B6: an operation whose workers die is failed in the end, and the user may retry it', async () => {
    const test = await createTestBus()
    const { bus, pool, work, until } = test
    const { id } = await bus.operations.start(ada, question)
    for (let i = 0; i < 4; i++) {
      await pool.query(`select pgmq.read('operations__commands', 30, 1)`)
      await pool.query('update pgmq.q_operations__commands set vt = now()')
    }
    await work({ domain: 'operations', handlers: { '*': () => expect.unreachable() } })
    expect(await until(() => bus.operations.get(ada, id), isOver)).toMatchObject({
      status: 'failed',
      error_message: errorMessage('LEASE_LOST'),
      retriable: true,
    })
  })

  test('B10: secrets reach neither the stored error nor the log', async () => {
    const lines: string[] = []
    const keep = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]))
    const { bus, pool, work, until } = await createTestBus({
      log: { debug: keep, info: keep, warn: keep, error: keep },
    })
    const secret = 'sk-abcdefghijklmnop1234'
    const { id } = await bus.operations.start(ada, question)
    await work({
      domain: 'operations',
      handlers: {
        '*': () => {
          throw new PermanentCommandError('UNAUTHORIZED', `refused: Bearer ${secret}`, {
            api_key: secret,
            tried: [secret],
          })
        },
      },
    })
    const over = await until(() => bus.operations.get(ada, id), isOver)
    expect(JSON.stringify(over)).not.toContain(secret)
    expect(JSON.stringify(await bus.getAuditTrail('operations', id))).not.toContain(secret)
    expect((await pool.query('select command_bus_event::text as e from command_bus_event')).rows.join()).not.toContain(
      secret,
    )
    expect(lines.join()).not.toContain(secret)
  })
})

describe('retry by hand', () => {
  test('B3: a retry makes a new operation with the same type, parameters, session and message, and it runs', async () => {
    const test = await createTestBus()
    const { bus, work, until } = test
    const id = await failed(test)
    const child = await bus.operations.retry(ada, id)
    expect(child).toMatchObject({
      operation_type: 'question_generation',
      status: 'pending',
      parent_operation_id: id,
      retry_count: 1,
      session_id: 's-1',
      message_id: 'm-1',
      error_message: null,
      retriable: false,
    })
    expect(child.id).not.toBe(id)
    await work({ domain: 'operations', handlers: { '*': data => data } })
    expect(await until(() => bus.operations.get(ada, child.id), isOver)).toMatchObject({
      status: 'completed',
      result: { session_id: 's-1', message_id: 'm-1', parameters: { topic: 'x' } },
    })
    expect((await bus.operations.list(ada)).items.map(o => [o.id, o.parent_operation_id, o.status])).toEqual([
      [child.id, id, 'completed'],
      [id, null, 'failed'],
    ])
  })

  test('B3: the retry is logged with both ids, count and type', async () => {
    const lines: object[] = []
    const test = await createTestBus({
      log: { debug: () => {}, warn: () => {}, error: () => {}, info: fields => void lines.push(fields) },
    })
    const id = await failed(test)
    const child = await test.bus.operations.retry(ada, id)
    expect(lines).toContainEqual({
      originalOperationId: id,
      newOperationId: child.id,
      retryCount: 1,
      operationType: 'question_generation',
    })
  })

  test('B4: unknown, not failed, or somebody else’s: refused, and nothing is made', async () => {
    const test = await createTestBus()
    const { bus, pool } = test
    const id = await failed(test)
    const pending = await bus.operations.start(ada, question)
    const count = async () => (await pool.query('select count(*) from command_bus_command')).rows[0].count
    const before = await count()
    const refused = async (owner: typeof ada, which: string) => bus.operations.retry(owner, which).catch(error => error)
    const unknown = await refused(ada, randomUUID())
    expect(unknown).toBeInstanceOf(OperationNotFoundError)
    expect(unknown.message).toBe('Operation not found')
    const running = await refused(ada, pending.id)
    expect(running).toBeInstanceOf(OperationNotRetriableError)
    expect(running.message).toBe('Can only retry failed operations')
    const foreign = await refused(bob, id)
    expect(foreign).toBeInstanceOf(ForbiddenError)
    expect(foreign.message).toBe('Unauthorized to retry this operation')
    expect(await count()).toBe(before)
    await expect(bus.operations.get(bob, id)).rejects.toThrow(ForbiddenError)
    expect((await bus.operations.list(bob)).items).toEqual([])
  })

  test('B4: an operation of another tenant counts as unknown', async () => {
    const test = await createTestBus()
    const id = await failed(test, { subject: 'ada', tenant: 't1' } as never)
    const other = { subject: 'ada', tenant: 't2' }
    await expect(test.bus.operations.retry(other, id)).rejects.toThrow(OperationNotFoundError)
    await expect(test.bus.operations.get(other, id)).rejects.toThrow(OperationNotFoundError)
    expect((await test.bus.operations.list(other)).items).toEqual([])
  })

  test('B3: a started operation is returned as pending, however quick the worker is', async () => {
    const test = await createTestBus()
    const { bus, work } = test
    await work({ domain: 'operations', handlers: { '*': () => 'done' } })
    const started = await Promise.all(Array.from({ length: 40 }, () => bus.operations.start(ada, question)))
    expect(new Set(started.map(operation => operation.status))).toEqual(new Set(['pending']))
  })

  test('B3: a child stays with its parent’s tenant', async () => {
    const other = await createTestBus()
    const id = await failed(other, { subject: 'ada', tenant: 't1' } as never)
    const child = await other.bus.operations.retry(ada, id)
    expect(await other.bus.operations.get({ subject: 'ada', tenant: 't1' }, child.id)).toMatchObject({ id: child.id })
  })

  test('B5: 20 clicks at once, in several tabs, make one child, and it runs once', async () => {
    const test = await createTestBus()
    const { bus, another, messages } = test
    const id = await failed(test)
    const buses = [bus, another(), another(), another()]
    const children = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (buses[i % 4] as typeof bus).operations.retry(ada, id)),
    )
    expect(new Set(children.map(child => child.id)).size).toBe(1)
    expect(await messages('operations__commands')).toHaveLength(1)
    expect((await bus.operations.list(ada)).items).toHaveLength(2)
  })

  test('B5: the longest chain is configurable; retry_count is the depth, and each failed operation has at most one child', async () => {
    const test = await createTestBus({ maxOperationRetries: 3 })
    const { bus, work, until } = test
    let id = await failed(test)
    await work({
      domain: 'operations',
      handlers: {
        '*': () => {
          throw new PermanentCommandError('REFUSED', 'no')
        },
      },
    })
    for (let depth = 1; depth <= 3; depth++) {
      const child = await bus.operations.retry(ada, id)
      expect(child).toMatchObject({ retry_count: depth, parent_operation_id: id })
      expect((await bus.operations.retry(ada, id)).id).toBe(child.id)
      await until(() => bus.operations.get(ada, child.id), isOver)
      id = child.id
    }
    expect(await bus.operations.get(ada, id)).toMatchObject({ retriable: false })
    await expect(bus.operations.retry(ada, id)).rejects.toThrow(/retried 3 times/)
  })

  test('the list is the owner’s own, by status, in pages', async () => {
    const test = await createTestBus()
    const { bus } = test
    const id = await failed(test)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push((await bus.operations.start(ada, question)).id)
    await bus.operations.start(bob, question)
    expect((await bus.operations.list(ada, { status: 'failed' })).items.map(o => o.id)).toEqual([id])
    const first = await bus.operations.list(ada, { status: 'pending', limit: 3 })
    const second = await bus.operations.list(ada, { status: 'pending', limit: 3, cursor: first.nextCursor as string })
    expect([...first.items, ...second.items].map(o => o.id)).toEqual(ids.toReversed())
    expect(second.nextCursor).toBeNull()
    await expect(bus.operations.list(ada, { status: 'done' as never })).rejects.toThrow(/pending, processing/)
    await expect(bus.operations.list(ada, { limit: 0 })).rejects.toThrow(/limit/)
  })
})
