import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import {
  BusinessRuleError,
  createCommandBus,
  DuplicateCommandError,
  InvalidInputError,
  ReplyQueueRefusedError,
  RequestCanceledError,
  RequestFailedError,
  type RequestOptions,
  RequestTimedOutError,
  UnavailableError,
} from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const QUEUE = 'shop__requests'
const handlers = {
  Echo: (data: unknown) => data,
  Refuse: () => {
    throw new BusinessRuleError('LIMIT_EXCEEDED', 'the card has a limit of 5000', { limit: 5000 })
  },
}
const shop = () => createTestBus({ service: 'shop' })

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const script = fileURLToPath(new URL('./requests-child.mjs', import.meta.url))

/** Another process that makes `count` requests at once, and prints the data of the replies. */
const requesting = ({ database, log }: TestBus, name: string, count: number) => {
  const child = spawn(
    process.execPath,
    [script, compiledSource(), database.url, JSON.stringify({ name, count, log })],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  const answers = async () => {
    let text = ''
    for await (const part of child.stdout) text += part
    return JSON.parse(text)
  }
  return { child, answers: answers() }
}

const empty = ({ until, messages }: TestBus, queue = QUEUE) =>
  until(
    () => messages(queue),
    found => found.length === 0,
  )

test('F12: a request resolves with what the handler returned, and its reply is taken off the queue', async () => {
  const given = await shop()
  const { bus, work } = given
  await work({ domain: 'payments', handlers })
  const reply = await bus.request<{ amount: number }>('payments', 'Echo', { amount: 5 }, { correlationId: 'order 7' })
  expect(reply).toMatchObject({
    outcome: 'SUCCESS',
    data: { amount: 5 },
    domain: 'payments',
    commandType: 'Echo',
    correlationId: 'order 7',
  })
  expect(await bus.getCommand('payments', reply.commandId)).toMatchObject({ status: 'COMPLETED', replyTo: QUEUE })
  await empty(given)
})

test('F12: a FAILED and a CANCELED reply are errors that name the command', async () => {
  const given = await shop()
  const { bus, work, until } = given
  const canceled = bus.request('payments', 'Echo', {}).catch(error => error)
  const [pending] = await until(
    async () => (await bus.queryCommands()).items,
    ({ length }) => length === 1,
  )
  const commandId = pending?.commandId ?? ''
  await bus.cancel('payments', commandId, { reason: 'not any more' })
  expect(await canceled).toBeInstanceOf(RequestCanceledError)
  expect(await canceled).toMatchObject({
    code: 'REQUEST_CANCELED',
    domain: 'payments',
    commandId,
    reason: 'not any more',
  })
  await work({ domain: 'payments', handlers })
  const failed = await bus.request('payments', 'Refuse', {}).catch(error => error)
  expect(failed).toBeInstanceOf(RequestFailedError)
  expect(failed).toMatchObject({
    code: 'REQUEST_FAILED',
    error: {
      code: 'LIMIT_EXCEEDED',
      message: 'the card has a limit of 5000',
      class: 'BUSINESS_RULE',
      details: { limit: 5000 },
    },
  })
  expect(await bus.getCommand('payments', failed.commandId)).toMatchObject({ status: 'FAILED' })
  await empty(given)
})

test('F12: after the deadline the command goes on, and its reply stays on the queue', async () => {
  const given = await shop()
  const { bus, work, until, messages } = given
  const late = await bus.request('payments', 'Echo', 1, { timeoutMs: 1 }).catch(error => error)
  expect(late).toBeInstanceOf(RequestTimedOutError)
  expect(late).toMatchObject({ code: 'REQUEST_TIMED_OUT', domain: 'payments', replyTo: QUEUE, timeoutMs: 1 })
  expect(late.message).toContain(late.commandId)
  await work({ domain: 'payments', handlers })
  await until(
    () => messages(QUEUE),
    ({ length }) => length === 1,
  )
  expect((await bus.request('payments', 'Echo', 2)).data).toBe(2)
  const left = await until(
    () => messages(QUEUE),
    ({ length }) => length === 1,
  )
  expect(left).toMatchObject([{ read_ct: 0, message: { command_id: late.commandId, outcome: 'SUCCESS', data: 1 } }])
})

test('F12: two processes share one queue, and each of 200 requests gets its own reply', async () => {
  const given = await shop()
  const { bus, work, until } = given
  const count = 100
  const echoes = (from: string) => Array.from({ length: count }, (_, i) => ({ from, i }))
  const other = requesting(given, 'other', count)
  const own = echoes('own').map(data => bus.request('payments', 'Echo', data, { timeoutMs: 100_000 }))
  // all of them wait before the first reply comes
  await until(
    async () => (await bus.queryCommands({ limit: 500 })).items,
    ({ length }) => length === 2 * count,
  )
  await work({ domain: 'payments', handlers, concurrency: 50 })
  expect((await Promise.all(own)).map(({ data }) => data)).toEqual(echoes('own'))
  expect(await other.answers).toEqual(echoes('other'))
  await empty(given)
})

test('F12: the reply to a request of a process that was killed stays on the queue', async () => {
  const given = await shop()
  const { bus, work, until, messages } = given
  const { child, answers } = requesting(given, 'victim', 1)
  answers.catch(() => {})
  await until(
    async () => (await bus.queryCommands()).items,
    ({ length }) => length === 1,
  )
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  await work({ domain: 'payments', handlers })
  expect((await bus.request('payments', 'Echo', 'mine')).data).toBe('mine')
  const left = await until(
    () => messages(QUEUE),
    ({ length }) => length === 1,
  )
  expect(left).toMatchObject([{ message: { data: { from: 'victim' } } }])
})

test('F12: messages of strangers on the queue stay, also one with the id of the command', async () => {
  const given = await shop()
  const { bus, pool, work, until, messages } = given
  await bus.request('payments', 'Echo', {}, { timeoutMs: 1 }).catch(() => {})
  const commandId = '5f0c2a7e-0000-4000-8000-000000000001'
  const strays = ['"text"', '[1]', '{"outcome": "SUCCESS"}', `{"command_id": "${commandId}", "domain": "payments"}`]
  const requested = bus.request('payments', 'Echo', 'real', { commandId })
  for (const stray of strays) await pool.query('select pgmq.send($1::text, $2::jsonb)', [QUEUE, stray])
  await work({ domain: 'payments', handlers })
  expect((await requested).data).toBe('real')
  const left = await until(
    () => messages(QUEUE),
    ({ length }) => length === strays.length + 1,
  )
  expect(left.map(({ message }) => message)).toEqual(expect.arrayContaining(strays.map(stray => JSON.parse(stray))))
})

test('F12: a wait ends with its signal, and with the bus; the command goes on', async () => {
  const { bus, another, until } = await shop()
  const over = new AbortController()
  const aborted = bus.request('payments', 'Echo', {}, { signal: over.signal })
  over.abort(new Error('the user has left'))
  await expect(aborted).rejects.toThrow('the user has left')
  await expect(bus.request('payments', 'Echo', {}, { signal: over.signal })).rejects.toThrow('the user has left')
  const closing = another()
  const commandId = '5f0c2a7e-0000-4000-8000-000000000002'
  const closed = closing.request('payments', 'Echo', {}, { commandId }).catch(error => error)
  await until(
    () => bus.getCommand('payments', commandId),
    command => command !== null,
  )
  await closing.close()
  expect(await closed).toBeInstanceOf(UnavailableError)
  expect((await closed).message).toContain(commandId)
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING' })
})

test('F12: a request that cannot work is refused in one sentence, and nothing is sent', async () => {
  const { bus } = await shop()
  const refused: readonly (readonly [object, string])[] = [
    [{ timeoutMs: 0 }, 'timeoutMs: must be a whole number from 1 to 2147483647, not 0'],
    [{ client: {} }, 'client: a request cannot join a transaction'],
    [{ replyTo: 'payments__commands' }, 'is for commands, not for replies'],
    [{ commandId: 'x' }, 'commandId: '],
  ]
  for (const [options, message] of refused) {
    await expect(bus.request('payments', 'Echo', {}, options as RequestOptions)).rejects.toThrow(message)
  }
  expect((await bus.queryCommands()).items).toEqual([])
  const { commandId } = await bus.send('payments', 'Echo', {})
  await expect(bus.request('payments', 'Echo', {}, { commandId })).rejects.toThrow(DuplicateCommandError)
  expect(() => createCommandBus({ databaseUrl: 'postgres://x', service: 'My shop' })).toThrow(InvalidInputError)
})

test('F12: replies to requests of a tenant come to a queue of its own, and never to one of another tenant', async () => {
  const given = await shop()
  const { bus, work } = given
  await work({ domain: 'payments', handlers })
  const roles = ['SENDER'] as const
  const ann = bus.as({ subject: 'ann', tenant: 'acme', roles })
  const { commandId, data } = await ann.request('payments', { commandType: 'Echo', data: 'a' })
  expect(data).toBe('a')
  expect(await ann.getCommand('payments', commandId)).toMatchObject({
    tenantId: 'acme',
    replyTo: 't_acme__requests',
  })
  const foreign = { commandType: 'Echo', data: 'b', replyTo: 't_other__requests' }
  await expect(ann.request('payments', foreign)).rejects.toThrow(ReplyQueueRefusedError)
  const bob = bus.as({ subject: 'bob', tenant: null, roles })
  const answer = await bob.request('payments', { commandType: 'Echo', data: 'c' })
  expect(await bob.getCommand('payments', answer.commandId)).toMatchObject({ replyTo: QUEUE })
  await expect(bob.request('workflow', { commandType: 'Echo', data: 'c' })).rejects.toThrow("domain 'workflow'")
})
