import { describe, expect, test, vi } from 'vitest'
import { type ChatOptions, createChat } from '../../examples/ai-operations/chat.ts'
import { aiHandlers } from '../../examples/ai-operations/handlers.ts'
import { errorCodes, errorMessage, errorText } from '../../src/domain/operation/error-catalogue.ts'
import type { StartOperation } from '../../src/index.ts'
import { createTestBus, type TestBus } from '../support/bus.ts'
import { lasting, passing } from './ai-faults.ts'
import { completes, never, type Reply, reset, says, startServer, text } from './ai-server.ts'

// the example names the package, and these are its sources
vi.mock('commandbus', () => import('../../src/index.ts'))

const ada = { subject: 'ada', tenant: null }
const question: StartOperation = {
  operation_type: 'question_generation',
  session_id: 's-1',
  message_id: 'm-1',
  parameters: { topic: 'leases' },
}
const well = completes('{"questions": ["What is a lease?"]}')
const result = { questions: ['What is a lease?'] }

const lines: string[] = []
const keep = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]))
const log = { debug: keep, info: keep, warn: keep, error: keep }

/** A bus whose worker asks a server. */
const serving = async (replies: readonly Reply[], options: Partial<ChatOptions> = {}) => {
  const server = await startServer(...replies)
  const test = await createTestBus({ log })
  const chat = createChat({ baseUrl: server.baseUrl, model: 'm', ...options })
  const worker = await test.work({ domain: 'operations', pollMs: 20, handlers: aiHandlers(chat) })
  return { ...test, server, worker }
}

/** Ends a message's wait for its next attempt; a lease is longer than any of these waits. */
const hurry = ({ pool }: TestBus) =>
  pool.query(`update pgmq.q_operations__commands set vt = now()
              where read_ct > 0 and vt > now() and vt < now() + interval '5 s'`)

const over = (test: TestBus, id: string) =>
  test.until(
    async () => {
      await hurry(test)
      return test.bus.operations.get(ada, id)
    },
    ({ status }) => status === 'completed' || status === 'failed',
  )

const run = async (test: TestBus, start: StartOperation = question) =>
  over(test, (await test.bus.operations.start(ada, start)).id)

const failures = async ({ bus }: TestBus, id: string) =>
  (await bus.getAuditTrail('operations', id)).flatMap(({ eventType, details }) =>
    eventType === 'FAILED' || eventType === 'RETRY_EXHAUSTED'
      ? [(details as { readonly error_code: string }).error_code]
      : [],
  )

describe('a service with a transient failure', () => {
  test.each(passing)('B1: of kind %s is called again, and the operation completes', async (_, reply, code) => {
    const test = await serving([reply, well], { deadlineMs: 1_000 })
    const operation = await run(test)
    expect(operation).toMatchObject({ status: 'completed', result, error_message: null })
    expect(await failures(test, operation.id)).toEqual([code])
    expect(test.server.received).toHaveLength(2)
    expect(errorText(code).transient).toBe(true)
  })

  test('B1: that cannot be reached is called again, too', async () => {
    const test = await serving([well])
    await test.server.close()
    const operation = await run(test)
    expect(operation).toMatchObject({ status: 'failed', error_message: errorMessage('CONNECTION_FAILED') })
    expect(await failures(test, operation.id)).toEqual(Array(4).fill('CONNECTION_FAILED'))
    expect((await test.bus.getCommand('operations', operation.id))?.lastErrorMsg).toContain('ECONNREFUSED')
  })

  test('B2, B3: four times in a row fails the operation with a text; a retry by hand completes', async () => {
    const test = await serving([says(503), never, reset, says(500), well], { deadlineMs: 1_000 })
    const failed = await run(test)
    expect(failed).toMatchObject({ status: 'failed', error_message: errorMessage('SERVER_ERROR'), retriable: true })
    expect(await failures(test, failed.id)).toEqual(['SERVER_ERROR', 'TIMEOUT', 'CONNECTION_FAILED', 'SERVER_ERROR'])
    const child = await test.bus.operations.retry(ada, failed.id)
    expect(await over(test, child.id)).toMatchObject({ status: 'completed', result, parent_operation_id: failed.id })
    expect(test.server.received).toHaveLength(5)
  })
})

describe('a service that answers', () => {
  test.each(lasting)('B1, B2: %s is called once, and the user reads why', async (_, reply, code) => {
    const test = await serving([reply])
    const operation = await run(test)
    expect(operation).toMatchObject({ status: 'failed', error_message: errorMessage(code), retriable: true })
    expect(await failures(test, operation.id)).toEqual([code])
    expect(test.server.received).toHaveLength(1)
    expect(errorCodes).toContain(code)
    expect(errorText(code).transient).toBe(false)
  })

  test('successfully got the parameters of the operation and the key', async () => {
    const answer = { summary: 's', strengths: ['a'], improvements: [] }
    const test = await serving([completes(JSON.stringify(answer))], { apiKey: 'a-key', model: 'some-model' })
    const operation = await run(test, { operation_type: 'feedback_analysis', parameters: { feedback: 'clear' } })
    expect(operation).toMatchObject({ status: 'completed', result: answer })
    expect(test.server.received).toMatchObject([
      {
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { authorization: 'Bearer a-key', 'content-type': 'application/json' },
        body: { model: 'some-model', messages: [{ role: 'system' }, { role: 'user', content: 'clear' }] },
      },
    ])
  })

  test('is not called when the parameters are invalid', async () => {
    const test = await serving([well])
    expect(await run(test, { ...question, parameters: { subject: 'leases' } })).toMatchObject({
      status: 'failed',
      error_message: errorMessage('INVALID_PAYLOAD'),
    })
    expect(test.server.received).toEqual([])
  })
})

test('B6: is left by a worker that stops, and another worker goes on with the operation', async () => {
  const test = await serving([never, well], { deadlineMs: 60_000 })
  const { id } = await test.bus.operations.start(ada, question)
  await test.until(
    async () => test.server.received.length,
    asked => asked === 1,
  )
  await test.worker.stop({ deadlineMs: 0 })
  await test.server.received[0]?.gone
  const chat = createChat({ baseUrl: test.server.baseUrl, model: 'm' })
  await test.work({ domain: 'operations', pollMs: 20, handlers: aiHandlers(chat) })
  expect(await over(test, id)).toMatchObject({ status: 'completed', result })
})

describe('the API key', () => {
  // the second does not look like a key, so that no mask would find it
  test.each(['sk-abcdefghijklmnop1234', 'quiteordinarywords'])('B10: %s is neither stored nor logged', async apiKey => {
    lines.length = 0
    const echo = says(401, { 'x-key': apiKey, 'www-authenticate': apiKey }, `{"error": "wrong key ${apiKey}"}`)
    const test = await serving([says(500, {}, apiKey), text(`${apiKey} {`), echo], { apiKey })
    const failed = await run(test)
    const refused = await over(test, (await test.bus.operations.retry(ada, failed.id)).id)
    expect(test.server.received.at(-1)?.headers.authorization).toBe(`Bearer ${apiKey}`)
    const stored = await Promise.all(
      ['command_bus_event', 'command_bus_command', 'pgmq.a_operations__commands', 'pgmq.q_operations__commands'].map(
        async table => JSON.stringify((await test.pool.query(`select t::text from ${table} t`)).rows),
      ),
    )
    expect(failed.error_message).toBe(errorMessage('UNREADABLE_ANSWER'))
    expect(refused.error_message).toBe(errorMessage('UNAUTHORIZED'))
    expect(stored.join()).toContain('UNREADABLE_ANSWER')
    expect(stored.join()).not.toContain(apiKey)
    expect(lines.join()).toContain('SERVER_ERROR')
    expect(lines.join()).not.toContain(apiKey)
  })

  test.each([
    [{ apiKey: 'sk-secret\n' }, 'the API key must be'],
    [{ apiKey: '' }, 'the API key must be'],
    [{ baseUrl: 'https://jane:sk-secret@example.com/v1' }, 'the base URL must be'],
    [{ baseUrl: 'file:///etc/sk-secret' }, 'the base URL must be'],
    [{ baseUrl: '' }, 'the base URL must be'],
  ])('B10: %j is refused at the start, without being shown', (options, sentence) => {
    const create = () => createChat({ baseUrl: 'http://127.0.0.1/v1', model: 'm', ...options })
    expect(create).toThrow(sentence)
    expect(create).not.toThrow(/secret/)
  })
})
