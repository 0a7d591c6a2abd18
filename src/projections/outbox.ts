import { type CommandError, type CommandEvent, type CommandKey, EXPIRED } from '../domain/command/events.ts'
import { commandQueue, parseCommandStream } from '../domain/command/names.ts'
import { isFinal, isParking } from '../domain/command/transitions.ts'
import type { Instant } from '../domain/instant.ts'
import type { Json } from '../domain/json/json.ts'
import type { EventContext, Recorded } from '../domain/recorded.ts'

type JsonObject = { readonly [key: string]: Json }

/** What an event does to the queues. Applied once, in the transaction that applies the event to the read tables. */
export type Effect =
  /** A new message; its id becomes the command's msg_id. It becomes visible at `runAt`, or at once. */
  | { readonly kind: 'enqueue'; readonly queue: string; readonly body: JsonObject; readonly runAt?: Instant }
  /**
   * Sends the archived message `archivedMsgId` again as a new one. `data` replaces its payload. Where that is null, or the
   * archive was purged, the message is `head` plus the payload of the event at `dataRevision`.
   */
  | {
      readonly kind: 'resend'
      readonly queue: string
      readonly archivedMsgId: string | null
      readonly head: JsonObject
      readonly dataRevision: number
      readonly data?: Json
    }
  | { readonly kind: 'reply'; readonly queue: string; readonly body: JsonObject }
  | { readonly kind: 'delete' | 'archive'; readonly queue: string; readonly msgId: string }
  /** Makes the message visible again after a time, by the queue's clock, as the worker's may be wrong. */
  | {
      readonly kind: 'postpone'
      readonly queue: string
      readonly msgId: string
      readonly waitMs: number
      /** Takes the last read back: the next one has the same number. */
      readonly uncount?: true
    }
  /** Makes the command's present message visible at `runAt`, or at once when that has passed; refused if it was read. */
  | { readonly kind: 'reschedule'; readonly queue: string; readonly runAt: Instant }
  /** Archives the command's present message, whose id is only in the row. */
  | { readonly kind: 'archive-current'; readonly queue: string }
  /** Changes the command's place in its lane; see migrations/0012_lanes.sql. `limit`: the rule that named the lane. */
  | {
      readonly kind: 'lane'
      readonly op: 'enter' | 'schedule' | 'park' | 'return' | 'leave'
      readonly queue: string
      readonly lane: string
      readonly limit?: string
      readonly runAt?: Instant
    }

export interface OutboxOptions {
  /** What to do with the message of a completed command. Default `delete`. */
  readonly onSuccess: 'delete' | 'archive'
}

/** The effects of an event on the queues. Pure: the same for an inline runner and one that follows the feed. */
export const outbox =
  (options: OutboxOptions) =>
  (recorded: Recorded<CommandEvent>): readonly Effect[] => {
    const key = parseCommandStream(recorded.stream)
    if (key === null) return []
    const effects = effectsOf(options, key, recorded)
    const { lane } = recorded.context
    return lane === undefined ? effects : [...effects, ...laneEffect(key, recorded, lane)]
  }

const laneEffect = (key: CommandKey, { event, context }: Recorded<CommandEvent>, lane: string): readonly Effect[] => {
  const queue = commandQueue(key.domain, context.priority)
  if (event.type === 'CommandSent') {
    const { limit, runAt } = event
    return [
      {
        kind: 'lane',
        op: 'enter',
        queue,
        lane,
        ...(limit === undefined ? {} : { limit }),
        ...(runAt === undefined ? {} : { runAt }),
      },
    ]
  }
  if (event.type === 'CommandRescheduled') return [{ kind: 'lane', op: 'schedule', queue, lane, runAt: event.runAt }]
  const op = isFinal(event)
    ? 'leave'
    : event.type === 'OperatorRetried'
      ? 'return'
      : isParking(event) && 'msgId' in event
        ? 'park'
        : null
  return op === null ? [] : [{ kind: 'lane', op, queue, lane }]
}

const effectsOf = (options: OutboxOptions, key: CommandKey, recorded: Recorded<CommandEvent>): readonly Effect[] => {
  const { event, context } = recorded
  const queue = commandQueue(key.domain, context.priority)
  // an event that leaves a command parked has no message: that was archived before
  if (isParking(event)) return 'msgId' in event ? [{ kind: 'archive', queue, msgId: event.msgId }] : []
  switch (event.type) {
    case 'CommandSent':
      return [
        {
          kind: 'enqueue',
          queue,
          body: { ...head(key, recorded), created_at: event.at, data: event.data },
          ...(event.runAt === undefined ? {} : { runAt: event.runAt }),
        },
      ]
    case 'CommandReceived':
      return []
    case 'CommandFailed':
      return [
        {
          kind: 'postpone',
          queue,
          msgId: event.msgId,
          waitMs: Date.parse(event.retryAt) - Date.parse(event.at),
          ...(event.uncounted === true ? { uncount: true } : {}),
        },
      ]
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
      return [{ kind: 'archive', queue, msgId: event.msgId }, ...reply(key, recorded, failed(event.error))]
    case 'CommandCompleted':
      return [
        { kind: options.onSuccess, queue, msgId: event.msgId },
        ...reply(key, recorded, { outcome: 'SUCCESS', data: event.result, result: event.result }),
      ]
    case 'CommandCanceled':
      return [
        { kind: 'archive-current', queue },
        ...reply(key, recorded, canceled('SENDER_CANCELED', 'SENDER', event.reason ?? 'canceled by the sender')),
      ]
    case 'CommandRescheduled':
      return [{ kind: 'reschedule', queue, runAt: event.runAt }]
    case 'CommandExpired':
      return [
        { kind: 'archive-current', queue },
        ...reply(key, recorded, canceled(EXPIRED, 'EXPIRY', `no worker had begun it by ${event.expiresAt}`)),
      ]
    case 'OperatorRetried':
      return [
        {
          kind: 'resend',
          queue,
          archivedMsgId: event.fromLog === true ? null : event.archivedMsgId,
          head: { ...head(key, recorded), created_at: event.at },
          dataRevision: event.dataRevision,
          ...(event.data === undefined ? {} : { data: event.data }),
        },
      ]
    case 'OperatorCanceled':
      return reply(key, recorded, canceled('OPERATOR_CANCELED', 'OPERATOR', event.reason))
    case 'OperatorCompleted':
      return reply(key, recorded, { outcome: 'SUCCESS', data: event.resultData, result: event.resultData })
  }
}

const head = (key: CommandKey, { context }: Recorded<CommandEvent>): JsonObject => ({
  command_id: key.commandId,
  command_type: context.commandType,
  domain: key.domain,
  correlation_id: context.correlationId,
  ...(context.replyTo === null ? {} : { reply_to: context.replyTo }),
  ...trace(context),
})

/** Receivers continue the trace of the send. */
const trace = ({ traceparent }: EventContext): JsonObject => (traceparent === undefined ? {} : { traceparent })

const reply = (key: CommandKey, recorded: Recorded<CommandEvent>, outcome: JsonObject): readonly Effect[] => {
  const { context, event } = recorded
  if (context.replyTo === null) return []
  const body = {
    command_id: key.commandId,
    correlation_id: context.correlationId,
    domain: key.domain,
    type: `${context.commandType}Response`,
    completed_at: event.at,
    ...trace(context),
    ...outcome,
  }
  return [{ kind: 'reply', queue: context.replyTo, body }]
}

const canceled = (code: string, by: string, reason: string): JsonObject => ({
  outcome: 'CANCELED',
  reason,
  error: { code, message: reason, class: by },
})

/** Code and message also stand where readers of other libraries look for them. */
const failed = (error: CommandError): JsonObject => ({
  outcome: 'FAILED',
  error: replyError(error),
  error_code: error.code,
  error_message: error.message,
  result: { error_code: error.code },
})

const replyError = (error: CommandError): JsonObject => ({
  code: error.code,
  message: error.message,
  class: error.type,
  ...(error.details === undefined ? {} : { details: error.details }),
})
