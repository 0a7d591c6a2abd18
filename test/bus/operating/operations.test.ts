import { describe, expect, test } from 'vitest'
import { errorMessage } from '../../../src/domain/operation/error-catalogue.ts'
import { PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
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

  test('B3: a started operation is returned as pending, however quick the worker is', async () => {
    const test = await createTestBus()
    const { bus, work } = test
    await work({ domain: 'operations', handlers: { '*': () => 'done' } })
    const started = await Promise.all(Array.from({ length: 40 }, () => bus.operations.start(ada, question)))
    expect(new Set(started.map(operation => operation.status))).toEqual(new Set(['pending']))
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
