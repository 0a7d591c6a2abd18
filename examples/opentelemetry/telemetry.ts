import {
  type Context,
  context,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Telemetry } from 'commandbus'

const tracer = trace.getTracer('commandbus')

/** The W3C header of a context; undefined where the SDK records nothing. */
const traceparentOf = (active: Context): string | undefined => {
  const carrier: Record<string, string> = {}
  propagation.inject(active, carrier, defaultTextMapSetter)
  return carrier.traceparent
}

const contextOf = (traceparent: string | undefined, otherwise: Context): Context =>
  traceparent === undefined ? otherwise : propagation.extract(ROOT_CONTEXT, { traceparent })

/**
 * A span for each send, under what is active there (such as a request), and one for each attempt, under the send of its command:
 * the context travels with the command, to whichever process handles it. The handler runs inside the span of its attempt.
 */
export const spansOfCommands: Telemetry = {
  sending: ({ domain, commandTypes, traceparent }) => {
    const parent = contextOf(traceparent, context.active())
    const name = commandTypes.length === 1 ? `send ${commandTypes[0]}` : 'send batch'
    const attributes = { 'messaging.system': 'commandbus', 'messaging.destination.name': domain }
    const span = tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes }, parent)
    return {
      traceparent: traceparentOf(trace.setSpan(parent, span)),
      done: () => span.end(),
      failed: error => {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) })
        span.end()
      },
    }
  },

  attempting: ({ domain, commandId, commandType, attempt, traceparent }) => {
    const parent = contextOf(traceparent, ROOT_CONTEXT)
    const attributes = {
      'messaging.system': 'commandbus',
      'messaging.destination.name': domain,
      'messaging.message.id': commandId,
      'commandbus.attempt': attempt,
    }
    const span = tracer.startSpan(`process ${commandType}`, { kind: SpanKind.CONSUMER, attributes }, parent)
    return {
      run: handler => context.with(trace.setSpan(parent, span), handler),
      handled: () => {},
      ended: ({ outcome, error }) => {
        span.setAttribute('commandbus.outcome', outcome)
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error.code })
        span.end()
      },
    }
  },

  working: () => () => {},
}
