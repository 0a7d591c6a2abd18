import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { Attempt, AttemptFacts, SendFacts, Sending, Telemetry } from '../../application/ports/telemetry.ts'
import { maskSecrets } from '../../application/shared/mask-secrets.ts'

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/

/** The W3C header of a span; undefined for a span without a trace. */
const traceparentOf = (span: Span): string | undefined => {
  const spanContext = span.spanContext()
  if (!isSpanContextValid(spanContext)) return undefined
  const flags = (spanContext.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`
}

/** The context of a traceparent. An invalid one counts as none, as the standard requires. */
const contextFrom = (traceparent: string | undefined, otherwise: Context): Context => {
  if (traceparent === undefined) return otherwise
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent) ?? []
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : otherwise
}

/** Ids of the trace that is active here, as fields of a log line. */
export const traceFields = (): { readonly traceId?: string; readonly spanId?: string } => {
  const active = trace.getActiveSpan()?.spanContext()
  return active !== undefined && isSpanContextValid(active) ? { traceId: active.traceId, spanId: active.spanId } : {}
}

const failSpan = (span: Span, error: { readonly code?: string; readonly message: string }): void => {
  span.setStatus({ code: SpanStatusCode.ERROR, message: maskSecrets(error.message) })
  if (error.code !== undefined) span.setAttribute('error.type', error.code)
}

/**
 * Spans that follow a command: `send` at the sender, `process` in the worker (its parent is the send, whose context is in the
 * command), and `reply` below it. They go to the OpenTelemetry SDK that the process has registered. Without one they cost next
 * to nothing, and only a sender's own trace context is passed on.
 */
export const createTracing = (): Telemetry => {
  // the API also passes spans to an SDK that is registered later
  const tracer = trace.getTracer('commandbus')

  const sending = ({ domain, commandTypes, traceparent }: SendFacts): Sending => {
    const name = commandTypes.length === 1 ? `send ${commandTypes[0]}` : 'send batch'
    const attributes = {
      'messaging.system': 'commandbus',
      'messaging.operation.type': 'send',
      'messaging.destination.name': domain,
      'messaging.batch.message_count': commandTypes.length,
    }
    const parent = contextFrom(traceparent, context.active())
    const span = tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes }, parent)
    return {
      traceparent: traceparentOf(span),
      done: outcomes => {
        const duplicates = outcomes.filter(outcome => outcome !== 'accepted').length
        if (duplicates > 0) span.setAttribute('commandbus.duplicates', duplicates)
        span.end()
      },
      failed: error => {
        failSpan(span, { message: error instanceof Error ? error.message : String(error) })
        span.end()
      },
    }
  }

  const attempting = (facts: AttemptFacts): Attempt => {
    const attributes = {
      'messaging.system': 'commandbus',
      'messaging.operation.type': 'process',
      'messaging.destination.name': facts.domain,
      'messaging.message.id': facts.commandId,
      'messaging.message.conversation_id': facts.correlationId,
      'commandbus.attempt': facts.attempt,
    }
    const parent = contextFrom(facts.traceparent, ROOT_CONTEXT)
    const span = tracer.startSpan(`process ${facts.commandType}`, { kind: SpanKind.CONSUMER, attributes }, parent)
    const inside = trace.setSpan(parent, span)
    let handledAt: Date | undefined
    return {
      run: handler => context.with(inside, handler),
      handled: () => {
        handledAt = new Date()
      },
      ended: ({ outcome, error, replied }) => {
        span.setAttribute('commandbus.outcome', outcome)
        if (error !== undefined) failSpan(span, error)
        if (replied) {
          const startTime = handledAt ?? new Date()
          tracer.startSpan(`reply ${facts.commandType}`, { kind: SpanKind.PRODUCER, startTime }, inside).end()
        }
        span.end()
      },
    }
  }

  return { sending, attempting, working: () => () => {} }
}
