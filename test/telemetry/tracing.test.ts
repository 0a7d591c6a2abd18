import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allTelemetry, silentTelemetry } from '../../src/application/ports/telemetry.ts'
import { PermanentCommandError, TransientCommandError } from '../../src/index.ts'
import { createMetrics } from '../../src/infrastructure/telemetry/metrics.ts'
import { createTracing, traceFields } from '../../src/infrastructure/telemetry/tracing.ts'
import { createTestBus } from '../support/bus.ts'
import { isParked } from '../support/park.ts'

/** What an SDK brings along to follow a call across its awaits. */
const asyncContexts = (): ContextManager => {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, call, self, ...args) => storage.run(active, () => call.call(self as never, ...args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const traceIdOf = (span: ReadableSpan | undefined) => span?.spanContext().traceId
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId
const traceparentOf = (span: ReadableSpan | undefined) => `00-${traceIdOf(span)}-${span?.spanContext().spanId}-01`

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter()
  const named = (name: string) => exporter.getFinishedSpans().filter(span => span.name === name)

  beforeEach(() => {
    exporter.reset()
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
    context.setGlobalContextManager(asyncContexts())
  })
  afterEach(() => {
    trace.disable()
    context.disable()
  })

  test('one trace follows a command from its send through the queue to its handler, its retry and its reply', async () => {
    const { bus, work, until, messages } = await createTestBus({ telemetry: createTracing() })
    const inHandler: object[] = []
    const { commandId, correlationId } = await bus.send(
      'payments',
      'Charge',
      {},
      { replyTo: 'replies', backoffSeconds: [0] },
    )
    const [sent] = named('send Charge')
    expect((await messages('payments__commands'))[0]?.message.traceparent).toBe(traceparentOf(sent))

    await work({
      domain: 'payments',
      handlers: {
        Charge: (_, { attempt }) => {
          inHandler.push(traceFields())
          if (attempt === 1) throw new TransientCommandError('BUSY', 'busy, password=hunter2')
          return null
        },
      },
    })
    await until(
      async () => named('process Charge').length,
      length => length === 2,
    )
    const [first, second] = named('process Charge')
    const [reply] = named('reply Charge')
    for (const span of [first, second, reply]) expect(traceIdOf(span)).toBe(traceIdOf(sent))
    expect(parentOf(sent)).toBeUndefined()
    expect(parentOf(first)).toBe(sent?.spanContext().spanId)
    expect(parentOf(second)).toBe(sent?.spanContext().spanId)
    expect(parentOf(reply)).toBe(second?.spanContext().spanId)
    expect(inHandler).toEqual([
      { traceId: traceIdOf(sent), spanId: first?.spanContext().spanId },
      { traceId: traceIdOf(sent), spanId: second?.spanContext().spanId },
    ])
    expect(first?.attributes).toMatchObject({
      'messaging.message.id': commandId,
      'messaging.message.conversation_id': correlationId,
      'commandbus.attempt': 1,
      'commandbus.outcome': 'retried',
      'error.type': 'BUSY',
    })
    expect(first?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'busy, password=(hidden)' })
    expect(second?.attributes).toMatchObject({ 'commandbus.attempt': 2, 'commandbus.outcome': 'completed' })
    expect(second?.status.code).toBe(SpanStatusCode.UNSET)
    expect((await messages('replies'))[0]?.message.traceparent).toBe(traceparentOf(sent))
  })

  test("a handler's sends belong to the span of its attempt", async () => {
    const { bus, work, until } = await createTestBus({
      telemetry: allTelemetry(createMetrics().telemetry, createTracing()),
    })
    await work({ domain: 'billing', handlers: { Invoice: () => null } })
    await work({
      domain: 'payments',
      handlers: { Charge: async () => void (await bus.send('billing', 'Invoice', {})) },
    })
    await bus.send('payments', 'Charge', {})
    await until(
      async () => named('process Invoice').length + named('process Charge').length,
      length => length === 2,
    )
    expect(parentOf(named('send Invoice')[0])).toBe(named('process Charge')[0]?.spanContext().spanId)
    expect(parentOf(named('process Invoice')[0])).toBe(named('send Invoice')[0]?.spanContext().spanId)
    expect(traceIdOf(named('process Invoice')[0])).toBe(traceIdOf(named('send Charge')[0]))
  })

  test("a sender's own trace is continued, and an invalid one is left out", async () => {
    const { bus } = await createTestBus({ telemetry: createTracing() })
    await bus.send('payments', 'Charge', {}, { traceparent: GIVEN })
    await bus.send('payments', 'Charge', {}, { traceparent: 'nonsense' })
    const [first, second] = named('send Charge')
    expect(first?.parentSpanContext).toMatchObject({ traceId: GIVEN.slice(3, 35), spanId: GIVEN.slice(36, 52) })
    expect(second?.parentSpanContext).toBeUndefined()
  })

  test('a batch is one span, which all its commands carry', async () => {
    const { bus, messages } = await createTestBus({ telemetry: createTracing() })
    await bus.sendBatch('payments', [
      { commandType: 'Charge', data: 1 },
      { commandType: 'Refund', data: 2, traceparent: GIVEN },
    ])
    const [batch] = named('send batch')
    expect(batch?.attributes['messaging.batch.message_count']).toBe(2)
    const carried = (await messages('payments__commands')).map(({ message }) => message.traceparent)
    expect(carried).toEqual([traceparentOf(batch), traceparentOf(batch)])
  })

  test("an operator's retry stays in the command's trace, also when the archive was purged", async () => {
    const { bus, pool, work, until, messages } = await createTestBus({ telemetry: createTracing() })
    const sent = [await bus.send('payments', 'Charge', {}), await bus.send('payments', 'Charge', {})]
    const worker = await work({
      domain: 'payments',
      handlers: {
        Charge: () => {
          throw new PermanentCommandError('NO', 'no')
        },
      },
    })
    for (const { commandId } of sent) await until(() => bus.getCommand('payments', commandId), isParked)
    await worker.stop()
    await bus.troubleshooting.retry('payments', sent[0]?.commandId as string, { operator: 'jane' })
    await pool.query('delete from pgmq.a_payments__commands')
    await bus.troubleshooting.retry('payments', sent[1]?.commandId as string, { operator: 'jane' })
    const carried = (await messages('payments__commands')).map(({ message }) => message.traceparent)
    expect(carried).toEqual(named('send Charge').map(traceparentOf))
    expect(named('process Charge').map(span => span.attributes['commandbus.outcome'])).toEqual(['parked', 'parked'])
  })
})

describe('without an SDK', () => {
  test('nothing is added to the message, not even an invalid trace', async () => {
    const { bus, messages, work, until } = await createTestBus({ telemetry: createTracing() })
    await bus.send('other', 'Charge', {}, { traceparent: `${GIVEN} ` })
    expect((await messages('other__commands'))[0]?.message).not.toHaveProperty('traceparent')
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    expect((await messages('payments__commands'))[0]?.message).not.toHaveProperty('traceparent')
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status === 'COMPLETED',
    )
    expect((await messages('replies'))[0]?.message).not.toHaveProperty('traceparent')
    expect(traceFields()).toEqual({})
  })

  test.each([
    ['telemetry is off', () => silentTelemetry],
    ['tracing is on', createTracing],
    ['only metrics are on', () => createMetrics().telemetry],
  ])("a sender's own trace is passed on to message and reply: %s", async (_, watcher) => {
    const { bus, messages, work, until } = await createTestBus({ telemetry: watcher() })
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies', traceparent: GIVEN })
    expect((await messages('payments__commands'))[0]?.message.traceparent).toBe(GIVEN)
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status === 'COMPLETED',
    )
    expect((await messages('replies'))[0]?.message.traceparent).toBe(GIVEN)
  })
})
