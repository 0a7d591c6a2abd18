import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  type TextMapPropagator,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spansOfCommands } from '../../examples/opentelemetry/telemetry.ts'
import { TransientCommandError, type WorkerOptions } from '../../src/index.ts'
import { createTestBus } from '../support/bus.ts'

// the parts of an SDK for Node: what follows a call across its awaits, and the W3C header
const storage = new AsyncLocalStorage<Context>()
const contexts: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (active, call, self, ...args) => storage.run(active, () => call.call(self as never, ...args)),
  bind: (_, target) => target,
  enable: () => contexts,
  disable: () => contexts,
}
const header: TextMapPropagator = {
  inject: (active, carrier, { set }) => {
    const { traceId, spanId } = trace.getSpanContext(active) ?? {}
    set(carrier, 'traceparent', `00-${traceId}-${spanId}-01`)
  },
  extract: (active, carrier, { get }) => {
    const [, traceId = '', spanId = ''] = String(get(carrier, 'traceparent')).split('-')
    return trace.setSpanContext(active, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true })
  },
  fields: () => ['traceparent'],
}
const exporter = new InMemorySpanExporter()

beforeAll(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  context.setGlobalContextManager(contexts)
  propagation.setGlobalPropagator(header)
})
afterAll(() => {
  for (const api of [trace, context, propagation]) api.disable()
})

test('K2: one trace goes from a request through the queue to the attempts in another process', async () => {
  const { bus, another, work, until } = await createTestBus({ telemetry: spansOfCommands })
  const tracer = trace.getTracer('shop')
  const handlers: WorkerOptions['handlers'] = {
    Charge: (_, { attempt }) => {
      tracer.startSpan('ask the bank').end()
      if (attempt === 1) throw new TransientCommandError('BUSY', 'busy')
      return null
    },
  }
  await tracer.startActiveSpan('POST /charges', async request => {
    await bus.send('payments', 'Charge', {}, { backoffSeconds: [0] })
    request.end()
  })
  const named = (name: string) => exporter.getFinishedSpans().filter(span => span.name === name)
  expect(named('process Charge')).toEqual([])
  await work({ domain: 'payments', handlers }, another())
  await until(
    async () => named('process Charge'),
    spans => spans.length === 2,
  )
  const [request, sent] = [...named('POST /charges'), ...named('send Charge')]
  const [first, second] = named('process Charge')
  expect(new Set(exporter.getFinishedSpans().map(span => span.spanContext().traceId)).size).toBe(1)
  expect(sent?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  for (const attempt of [first, second]) expect(attempt?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId)
  expect(named('ask the bank').map(span => span.parentSpanContext?.spanId)).toEqual(
    [first, second].map(attempt => attempt?.spanContext().spanId),
  )
  expect(first).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'BUSY' },
    attributes: { 'commandbus.outcome': 'retried', 'commandbus.attempt': 1 },
  })
  expect(second).toMatchObject({ attributes: { 'commandbus.outcome': 'completed', 'commandbus.attempt': 2 } })
})
