import * as t from 'io-ts'
import { type CommandEvent, errorTypes, parkingReasons } from '../../domain/command/events.ts'
import { otherPriorities } from '../../domain/flow/priority.ts'
import { eventCodec, nullable } from './event-codec.ts'
import { json, number, oneOf } from './json.ts'

const withOptional = <R extends t.Props, O extends t.Props>(required: R, optional: O) =>
  t.exact(t.intersection([t.type(required), t.partial(optional)]), `{ ${Object.keys(required).join(', ')} }`)

const error = withOptional(
  {
    type: oneOf(errorTypes),
    code: t.string,
    message: t.string,
  },
  {
    details: json,
    stack: t.string,
    frame: t.string,
    causes: t.readonlyArray(
      withOptional(
        { kind: oneOf(['cause', 'member']), depth: number, code: t.string, message: t.string },
        { stack: t.string },
      ),
    ),
  },
)

const change = t.strict({
  op: oneOf(['add', 'remove', 'replace']),
  path: t.string,
  from: json,
  to: json,
})

const policy = t.strict({
  maxAttempts: number,
  backoffSeconds: t.array(number),
  jitter: number,
  onExhausted: oneOf(['park', 'fail']),
})

const reason = oneOf(parkingReasons)

/** The worker's build, where it is known. */
const build = { build: t.string }

/** What an event repeats that leaves a command parked. */
const stays = { parkedAt: t.string, parkedReason: reason, snoozedUntil: nullable(t.string) }

const failure = withOptional({ attempt: number, msgId: t.string, error }, build)

/** The stored form of every command event. Change a shape only with a new version and a step in `upcasts`. */
export const commandCodec = eventCodec<CommandEvent>(
  {
    CommandSent: {
      version: 1,
      data: withOptional(
        {
          commandType: t.string,
          data: json,
          correlationId: t.string,
          causationId: nullable(t.string),
          replyTo: nullable(t.string),
          tenantId: nullable(t.string),
          ownerId: nullable(t.string),
          parentCommandId: nullable(t.string),
          retryCount: number,
          policy,
        },
        {
          runAt: t.string,
          priority: oneOf(otherPriorities),
          expiresAt: t.string,
          lane: t.string,
          limit: t.string,
          traceparent: t.string,
          adopted: withOptional(
            { queue: t.string, msgId: t.string, reads: number },
            { createdAt: t.string, commandId: t.string, correlationId: t.string },
          ),
        },
      ),
    },
    CommandReceived: {
      version: 1,
      data: withOptional(
        {
          attempt: number,
          total: number,
          msgId: t.string,
          leaseExpiresAt: t.string,
          lost: t.boolean,
        },
        build,
      ),
    },
    CommandFailed: {
      version: 1,
      data: withOptional(
        { attempt: number, msgId: t.string, error, retryAt: t.string },
        { uncounted: t.literal(true), ...build },
      ),
    },
    CommandMovedToTroubleshooting: {
      version: 1,
      data: withOptional({ attempt: number, msgId: t.string, reason, error }, build),
    },
    CommandRejectedByBusinessRule: { version: 1, data: failure },
    CommandExhausted: { version: 1, data: failure },
    CommandCompleted: {
      version: 1,
      data: withOptional(
        { attempt: number, msgId: t.string, result: json },
        { receipt: t.strict({ at: t.string, total: number, leaseExpiresAt: t.string }), ...build },
      ),
    },
    CommandCanceled: { version: 1, data: t.strict({ reason: nullable(t.string) }) },
    CommandRescheduled: { version: 1, data: t.strict({ runAt: t.string }) },
    CommandExpired: { version: 1, data: t.strict({ expiresAt: t.string }) },
    OperatorRetried: {
      version: 1,
      data: withOptional(
        { resetAttempts: t.boolean, attempts: number, archivedMsgId: t.string, dataRevision: number },
        { fromLog: t.literal(true), data: json, diff: t.array(change), reason: t.string },
      ),
    },
    OperatorCanceled: { version: 1, data: t.strict({ reason: t.string }) },
    OperatorCompleted: { version: 1, data: withOptional({ resultData: json }, { reason: t.string }) },
    OperatorSnoozed: {
      version: 1,
      data: t.strict({ until: t.string, reason: nullable(t.string), parkedAt: t.string, parkedReason: reason }),
    },
    OperatorNoted: { version: 1, data: t.strict({ text: t.string, number, ...stays }) },
    OperatorAssigned: { version: 1, data: t.strict({ assignee: nullable(t.string), ...stays }) },
    OperatorTagged: { version: 1, data: t.strict({ tags: t.readonlyArray(t.string), ...stays }) },
    OperatorEndedAttempt: {
      version: 1,
      data: t.strict({ attempt: number, msgId: t.string, reason: t.string, error }),
    },
  },
  {},
)
