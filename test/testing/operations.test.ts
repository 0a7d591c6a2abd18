import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { errorCodes, errorMessage } from '../../src/domain/operation/error-catalogue.ts'
import {
  ForbiddenError,
  type Handler,
  OperationNotFoundError,
  OperationNotRetriableError,
  PermanentCommandError,
  TransientCommandError,
} from '../../src/index.ts'
import { type TestBus, type TestBusOptions, testBus } from '../../src/testing/index.ts'

const ada = { subject: 'ada', tenant: null }
const bob = { subject: 'bob', tenant: null }
const question = {
  operation_type: 'question_generation',
  session_id: 's-1',
  message_id: 'm-1',
  parameters: { topic: 'x' },
}

const refuse: Handler = () => {
  throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
}
const busWith = (handler: Handler, options: TestBusOptions = {}): TestBus =>
  testBus({ ...options, handlers: { operations: { '*': handler } } })

/** An operation that failed permanently. */
const failed = async (bus: TestBus, owner: { subject: string; tenant: string | null } = ada): Promise<string> => {
  const { id } = await bus.operations.start(owner, question)
  await bus.runUntilIdle()
  expect(await bus.operations.get(owner, id)).toMatchObject({ status: 'failed' })
  return id
}

const linesOf = () => {
  const lines: { readonly fields: object; readonly message: string }[] = []
  const info = (fields: object, message: string) => void lines.push({ fields, message })
  return { lines, log: { debug: () => {}, warn: () => {}, error: () => {}, info } }
}

test.each([0, 0.5, 0.999])(
  'B1: a transient failure is retried after 1, 2 and 4 seconds, each up to 10 %% longer, four attempts in all (%d)',
  async random => {
    const { lines, log } = linesOf()
    const starts: number[] = []
    const bus = busWith(
      () => {
        starts.push(bus.now().getTime())
        throw new TransientCommandError('SERVER_ERROR', 'the model answered 503')
      },
      { log, random: () => random },
    )
    const { id } = await bus.operations.start(ada, question)
    await bus.runUntilSettled()
    expect(await bus.operations.get(ada, id)).toMatchObject({ status: 'failed' })
    const waits = starts.slice(1).map((start, i) => start - (starts[i] as number))
    expect(waits).toEqual([1000, 2000, 4000].map(base => Math.round(base * (1 + random / 10))))
    const retries = lines.filter(({ message }) => message.includes('tried again'))
    expect(retries.map(({ fields }) => fields)).toMatchObject(
      waits.map((waitMs, i) => ({ attempt: i + 1, waitMs, error: { code: 'SERVER_ERROR' } })),
    )
  },
)

test.each([
  ['a permanent error', new PermanentCommandError('UNAUTHORIZED', 'the model answered 401'), 1],
  ['an error of the handler itself', new TypeError('x is not a function'), 1],
  ['an answer that refuses', Object.assign(new Error('Bad Request'), { status: 400 }), 1],
  ['a connection that failed', Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } }), 2],
  ['an answer that says later', Object.assign(new Error('Service Unavailable'), { statusCode: 503 }), 2],
  ['a deadline', AbortSignal.abort(new DOMException('too late', 'TimeoutError')).reason, 2],
])('B1: %s, thrown unchanged, gets the right number of attempts', async (_, thrown, attempts) => {
  const bus = busWith((_data, { totalAttempts }) => {
    if (totalAttempts === 1) throw thrown
  })
  const { id } = await bus.operations.start(ada, question)
  await bus.runUntilSettled()
  bus.expect(id).toHaveAttempts(attempts)
  expect(await bus.operations.get(ada, id)).toMatchObject({ status: attempts === 1 ? 'failed' : 'completed' })
})

test('B2: a failed operation says what happened and what to do, for every code and for an unknown one', async () => {
  const bus = busWith(refuse)
  const operation = await bus.operations.get(ada, await failed(bus))
  expect(operation).toMatchObject({ status: 'failed', retriable: true })
  expect(operation.error_message).toBe(errorMessage('UNAUTHORIZED'))
  for (const code of [...errorCodes, 'SOMETHING_NEW', '__proto__', 'constructor']) {
    const parts = errorMessage(code).split('What to do:')
    expect(parts).toHaveLength(2)
    for (const part of parts) expect(part.trim()).toMatch(/^[A-Z].{10,}\.$/)
  }
})

test('B3: the retry is logged with both ids, count and type', async () => {
  const { lines, log } = linesOf()
  const bus = busWith(refuse, { log })
  const id = await failed(bus)
  const child = await bus.operations.retry(ada, id)
  expect(lines.map(({ fields }) => fields)).toContainEqual({
    originalOperationId: id,
    newOperationId: child.id,
    retryCount: 1,
    operationType: 'question_generation',
  })
})

test('B4: unknown, not failed, or somebody else’s: refused, and nothing is made', async () => {
  const bus = busWith(refuse)
  const id = await failed(bus)
  const pending = await bus.operations.start(ada, question)
  const count = async () => (await bus.queryCommands()).items.length
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

test('B4: an operation of another tenant counts as unknown, and a child stays with its parent’s tenant', async () => {
  const bus = busWith(refuse)
  const [owner, other] = [
    { subject: 'ada', tenant: 't1' },
    { subject: 'ada', tenant: 't2' },
  ]
  const id = await failed(bus, owner)
  await expect(bus.operations.retry(other, id)).rejects.toThrow(OperationNotFoundError)
  await expect(bus.operations.get(other, id)).rejects.toThrow(OperationNotFoundError)
  expect((await bus.operations.list(other)).items).toEqual([])
  const child = await bus.operations.retry(ada, id)
  expect(await bus.operations.get(owner, child.id)).toMatchObject({ id: child.id })
})

test('B5: the longest chain is configurable; retry_count is the depth, and each failed operation has at most one child', async () => {
  const bus = busWith(refuse, { maxOperationRetries: 3 })
  let id = await failed(bus)
  for (let depth = 1; depth <= 3; depth++) {
    const child = await bus.operations.retry(ada, id)
    expect(child).toMatchObject({ retry_count: depth, parent_operation_id: id })
    expect((await bus.operations.retry(ada, id)).id).toBe(child.id)
    await bus.runUntilIdle()
    id = child.id
  }
  expect(await bus.operations.get(ada, id)).toMatchObject({ retriable: false })
  await expect(bus.operations.retry(ada, id)).rejects.toThrow(/retried 3 times/)
})
