import type { Send } from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import {
  defaultRetryPolicy,
  type OnExhausted,
  policyFaults,
  type RetryPolicy,
} from '../../domain/command/retry-policy.ts'
import { type CommandState, initialState } from '../../domain/command/state.ts'
import { type Clock, presentInstant } from '../ports/clock.ts'
import type { Transaction } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import type { SendOutcomeKind, Telemetry } from '../ports/telemetry.ts'
import { type FlowOptions, flowOf } from '../sending/flow-options.ts'
import type { LaneRules } from '../sending/lane-rules.ts'
import { CommandIdTakenError, DuplicateCommandError, InvalidInputError } from '../shared/errors.ts'
import {
  commandIdOf,
  commandTypeOf,
  correlationIdOf,
  domainOf,
  optional,
  replyQueueOf,
  sizedJsonOf,
  textOf,
  wholeOf,
} from '../shared/input.ts'
import type { Turn, TurnOutcome } from '../shared/transact.ts'
import type { TransactCommands } from './transact-commands.ts'

/** How a command is retried. Each missing value comes from the policy of its type, then from the default. */
export interface RetryOptions {
  /** Attempts in all, 1-100. Default 3. */
  readonly maxAttempts?: number
  /** Waits in seconds after the first, second, ... failure; the last repeats. Default [10, 60, 300]. */
  readonly backoffSeconds?: readonly number[]
  /** The largest share of a wait that is added at random, 0-1. Default 0. */
  readonly jitter?: number
  /** After the last attempt. Default `park`: it waits for an operator. `fail`: it ends FAILED, with a reply. */
  readonly onExhausted?: OnExhausted
}

/** A command of a batch. Only `commandType` and `data` are required. */
export interface CommandToSend extends RetryOptions, FlowOptions {
  readonly commandType: string
  /** Any JSON value up to 1 MiB. */
  readonly data: unknown
  /** A UUID. Default: a new one. Within a domain each id is sent once. */
  readonly commandId?: string
  /** The queue for the reply. Default: no reply. */
  readonly replyTo?: string
  /** Any non-empty text up to 128 characters. Default: the command's id. */
  readonly correlationId?: string
  /** The id of the command or event that caused this one, up to 128 characters. */
  readonly causationId?: string
  /** Up to 128 characters. Default: no tenant. */
  readonly tenantId?: string
  /** The user of an operation, up to 128 characters. */
  readonly ownerId?: string
  readonly parentCommandId?: string
  readonly retryCount?: number
  /** Who sends, for the audit. Default `sender`. */
  readonly actor?: string
  /** The sender's W3C trace context, as in the header of that name; an invalid one is ignored. */
  readonly traceparent?: string
}

/** A command that was accepted. */
export interface SentCommand {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  readonly status: 'PENDING'
  /** The id of the message on the queue; null where the log is in another database and the message follows later. */
  readonly msgId: string | null
  readonly correlationId: string
}

export interface SendDeps {
  readonly transact: TransactCommands
  readonly clock: Clock
  readonly ids: Ids
  /** Policies by command type. */
  readonly policies: ReadonlyMap<string, RetryOptions>
  readonly telemetry: Telemetry
  readonly laneRules: LaneRules
  /** Makes the missing reply queues. @throws ReplyQueueRefusedError */
  readonly makeReplyQueues: (queues: ReadonlySet<string>, within?: Transaction) => Promise<void>
}

/** A checked command, ready for its turn. */
export interface PreparedSend {
  readonly domain: string
  readonly commandId: string
  readonly intent: Send
  /** About as many bytes as a statement needs for its payload. */
  readonly bytes: number
  /** The id of its event, for a send that may be repeated: if the log has it, this send took place before. */
  readonly eventId?: string
}

export const sizeOfSend = ({ bytes }: Pick<PreparedSend, 'bytes'>): number => bytes

/** Checks a command and fills in what was left out. @throws InvalidInputError */
export const prepareSend =
  ({ clock, ids, policies }: Pick<SendDeps, 'clock' | 'ids' | 'policies'>) =>
  (domain: string, command: CommandToSend): PreparedSend => {
    const { json, bytes } = sizedJsonOf(command.data)
    const known = domainOf(domain)
    const commandId = optional(command.commandId, commandIdOf) ?? ids.next()
    const at = presentInstant(clock)
    return {
      domain: known,
      commandId,
      intent: {
        type: 'Send',
        at,
        actor: optional(command.actor, actor => textOf(actor, 'actor', 200)) ?? 'sender',
        commandType: commandTypeOf(command.commandType),
        data: json,
        correlationId: optional(command.correlationId, correlationIdOf) ?? commandId,
        causationId: optional(command.causationId, id => textOf(id, 'causationId', 128)),
        replyTo: optional(command.replyTo, value => replyQueueOf(value)),
        tenantId: optional(command.tenantId, id => textOf(id, 'tenantId', 128)),
        ownerId: optional(command.ownerId, id => textOf(id, 'ownerId', 128)),
        parentCommandId: optional(command.parentCommandId, id => commandIdOf(id, 'parentCommandId')),
        retryCount: optional(command.retryCount, retryCountOf) ?? 0,
        policy: policyOf(command, policies.get(command.commandType)),
        ...flowOf(known, command, at),
        ...traceOf(command.traceparent),
      },
      bytes,
    }
  }

const retryCountOf = (value: unknown): number => wholeOf(value, 'retryCount', 0, MAX_RETRY_COUNT)

/** The largest value of the column. */
const MAX_RETRY_COUNT = 2_147_483_647

/** Version 00 of the header, the only one; the standard asks to ignore what cannot be parsed. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

const traceOf = (traceparent: unknown): { readonly traceparent?: string } =>
  typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}

const policyOf = (own: RetryOptions, ofType: RetryOptions = {}): RetryPolicy => {
  const policy: RetryPolicy = {
    maxAttempts: own.maxAttempts ?? ofType.maxAttempts ?? defaultRetryPolicy.maxAttempts,
    backoffSeconds: own.backoffSeconds ?? ofType.backoffSeconds ?? defaultRetryPolicy.backoffSeconds,
    jitter: own.jitter ?? ofType.jitter ?? defaultRetryPolicy.jitter,
    onExhausted: own.onExhausted ?? ofType.onExhausted ?? defaultRetryPolicy.onExhausted,
  }
  const [fault] = policyFaults(policy)
  if (fault !== undefined) throw new InvalidInputError('retry policy', fault)
  return policy
}

/** Called before a send: a command whose reply queue cannot be made is refused. */
export const makeReplyQueuesOf = async (
  prepared: readonly PreparedSend[],
  { makeReplyQueues }: Pick<SendDeps, 'makeReplyQueues'>,
  within?: Transaction,
): Promise<void> => {
  const queues = new Set<string>()
  for (const { intent } of prepared) if (intent.replyTo !== null) queues.add(intent.replyTo)
  if (queues.size > 0) await makeReplyQueues(queues, within)
}

export type SendOutcome =
  | { readonly outcome: 'accepted'; readonly sent: SentCommand }
  | { readonly outcome: 'duplicate'; readonly commandId: string }
  /** Another tenant has sent a command with this id. */
  | { readonly outcome: 'taken'; readonly commandId: string }

/** Sends prepared commands together; a duplicate is reported and does not affect the others. */
export const sendPrepared =
  (transact: TransactCommands) =>
  async (
    prepared: readonly PreparedSend[],
    within?: Transaction,
    onOutcome?: (index: number, outcome: SendOutcome) => void,
    brief = false,
  ): Promise<readonly SendOutcome[]> => {
    const turns = prepared.map(
      ({ domain, commandId, intent, eventId }): Turn<CommandState, Send> => ({
        stream: commandStream({ domain, commandId }),
        intents: [intent],
        known: { state: initialState, revision: -1 },
        ...(eventId === undefined ? {} : { firstId: eventId }),
      }),
    )
    const ofTurn = (i: number, outcome: Parameters<typeof sendOutcome>[1]): SendOutcome =>
      sendOutcome(prepared[i] as PreparedSend, outcome)
    const outcomes = await transact(turns, {
      ...(within === undefined ? {} : { within }),
      ...(brief ? { brief } : {}),
      ...(onOutcome === undefined ? {} : { onOutcome: (i, outcome) => onOutcome(i, ofTurn(i, outcome)) }),
    })
    return outcomes.map((outcome, i) => ofTurn(i, outcome))
  }

/** Reports a send of one domain to telemetry; the commands carry the trace context that it returns. */
export const watchSend =
  (telemetry: Telemetry) =>
  async <Answer extends { readonly outcome: SendOutcomeKind }>(
    prepared: readonly PreparedSend[],
    send: (prepared: readonly PreparedSend[]) => Promise<readonly Answer[]>,
  ): Promise<readonly Answer[]> => {
    const [first] = prepared
    if (first === undefined) return send(prepared)
    const sending = telemetry.sending({
      domain: first.domain,
      commandTypes: prepared.map(({ intent }) => intent.commandType),
      ...(prepared.length === 1 ? traceOf(first.intent.traceparent) : {}),
    })
    const { traceparent } = sending
    try {
      const answers = await send(
        traceparent === undefined
          ? prepared
          : prepared.map(one => ({ ...one, intent: { ...one.intent, traceparent } })),
      )
      sending.done(answers.map(({ outcome }) => outcome))
      return answers
    } catch (error) {
      sending.failed(error)
      throw error
    }
  }

const sendOutcome = (
  { domain, commandId, intent }: PreparedSend,
  outcome: TurnOutcome<CommandState, unknown, unknown>,
  { state: now } = outcome.now,
): SendOutcome =>
  outcome.outcome === 'rejected'
    ? {
        outcome: now.status === 'NONE' || now.sent.tenantId === intent.tenantId ? 'duplicate' : 'taken',
        commandId,
      }
    : {
        outcome: 'accepted',
        sent: {
          domain,
          commandId,
          commandType: intent.commandType,
          status: 'PENDING',
          msgId: outcome.msgId,
          correlationId: intent.correlationId,
        },
      }

/** The result of a single send. @throws DuplicateCommandError, CommandIdTakenError */
export const acceptedOrThrow = (domain: string, outcome: SendOutcome): SentCommand => {
  if (outcome.outcome === 'duplicate') throw new DuplicateCommandError(domain, outcome.commandId)
  if (outcome.outcome === 'taken') throw new CommandIdTakenError(domain, outcome.commandId)
  return outcome.sent
}
