import { isLeft } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { command } from '../../domain/command/index.ts'
import type { CommandIntent, ReportFailure, ReportSuccess } from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import { attemptLimit, type CommandState } from '../../domain/command/state.ts'
import type { CommandStatus } from '../../domain/command/transitions.ts'
import { fold } from '../../domain/decider.ts'
import type { Json } from '../../domain/json/json.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/event-store.ts'
import { handledCommand } from '../ports/handled-command.ts'
import { MAX_REHEARSAL_MS, type RehearsalAnswer, type Rehearsals } from '../ports/rehearsals.ts'
import { CommandNotFoundError, InvalidOperationError, InvalidPayloadError } from '../shared/errors.ts'
import { commandIdOf, domainOf, jsonOf, wholeOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'
import { refusal } from './operate-command.ts'

export interface RehearseDeps {
  readonly store: Pick<EventStore<CommandEvent>, 'readStream'>
  readonly rehearsals: Rehearsals
  readonly clock: Clock
}

/** How a rehearsal runs. */
export interface RehearseOptions extends Scope {
  /** Replaces the command's payload in the rehearsal. */
  readonly data?: unknown
  /** As for a retry. Default true. */
  readonly resetAttempts?: boolean
  /** The handler's deadline in milliseconds: 1 to 60,000, default 10,000. */
  readonly timeoutMs?: number
}

/** How a rehearsal ended: as an attempt would, or by its deadline or a crash. */
export type RehearsalOutcome =
  | 'SUCCESS'
  | 'TRANSIENT'
  | 'PERMANENT'
  | 'BUSINESS_RULE'
  | 'NO_HANDLER'
  | 'INVALID_PAYLOAD'
  /** It did not end in time. */
  | 'TIMEOUT'
  /** It ended its process. */
  | 'CRASHED'

/** What a retry would do, judged by one run of the handler. */
export interface Rehearsal {
  readonly commandId: string
  readonly domain: string
  readonly outcome: RehearsalOutcome
  /** The handler's result; null unless it succeeded. */
  readonly result: Json
  readonly error: { readonly code: string; readonly message: string } | null
  /** The command's status after the attempt; null if it is not known. */
  readonly wouldBe: CommandStatus | null
  readonly durationMs: number
  readonly rolledBack: true
}

const DEFAULT_MS = 10_000

/**
 * Runs the registered handler on a parked command, in a transaction that is rolled back. The log, rows and queues do
 * not change. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError
 */
export const rehearseCommand =
  ({ store, rehearsals, clock }: RehearseDeps) =>
  async (domain: string, commandId: string, options: RehearseOptions = {}): Promise<Rehearsal> => {
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    const deadlineMs = timeoutOf(options.timeoutMs)
    const data = options.data === undefined ? undefined : jsonOf(options.data)
    const events = await store.readStream(commandStream(key), 0, { recordedOnly: true })
    const present = fold(
      command,
      events.map(({ event }) => event),
    )
    if (present.status === 'NONE' || !isWithin(options, present.sent.tenantId)) {
      throw new CommandNotFoundError(key.domain, key.commandId)
    }
    const at = clock.now().toISOString()
    const running = attempted(key, present, at, options.resetAttempts ?? true, data)
    const { sent } = running
    const faults =
      data === undefined ? [] : await rehearsals.faultsOf(key.domain, sent.commandType, data, sent.tenantId)
    if (faults.length > 0) throw new InvalidPayloadError(faults)
    const answer = await rehearsals.run({
      command: handledCommand(key, sent, running.data),
      attempt: running.attempts,
      maxAttempts: attemptLimit(running),
      totalAttempts: running.totalAttempts,
      deadlineMs,
    })
    if (answer.kind === 'refused') throw new InvalidOperationError(answer.why, present.status)
    const { durationMs } = answer
    return { ...key, ...outcomeOf(answer), wouldBe: after(running, answer, at, clock), durationMs, rolledBack: true }
  }

/** The codec's faults in a payload for a command of the log. Empty for unknown commands, which the turn refuses. */
export const payloadFaults =
  ({ store, rehearsals }: Pick<RehearseDeps, 'store' | 'rehearsals'>) =>
  async (key: CommandKey, data: Json, scope: Scope): Promise<readonly string[]> => {
    const [first] = await store.readStream(commandStream(key), 0, { recordedOnly: true })
    if (first?.event.type !== 'CommandSent') return []
    const { commandType, tenantId } = first.event
    return isWithin(scope, tenantId) ? rehearsals.faultsOf(key.domain, commandType, data, tenantId) : []
  }

const timeoutOf = (given: unknown): number =>
  given === undefined ? DEFAULT_MS : wholeOf(given, 'timeoutMs', 1, MAX_REHEARSAL_MS)

type Running = Extract<CommandState, { status: 'IN_PROGRESS' }>

const REHEARSER = 'worker:rehearsal'

/** The command as the first attempt after a retry would find it, by the decisions of a retry and a worker. */
const attempted = (
  key: CommandKey,
  present: CommandState,
  at: string,
  resetAttempts: boolean,
  data: Json | undefined,
): Running => {
  const base = { at, actor: REHEARSER }
  const retried = decided(key, present, {
    ...base,
    type: 'OperatorRetry',
    resetAttempts,
    ...(data === undefined ? {} : { data }),
  })
  const received = decided(key, retried, {
    ...base,
    type: 'Receive',
    msgId: 'rehearsal',
    delivery: 1,
    leaseExpiresAt: at,
  })
  if (received.status !== 'IN_PROGRESS') throw new InvalidOperationError('no attempt would be made', received.status)
  return received
}

const decided = ({ domain, commandId }: CommandKey, state: CommandState, intent: CommandIntent): CommandState => {
  const decision = command.decide(intent, state)
  if (isLeft(decision)) throw refusal(domain, commandId, decision.left)
  return fold(command, decision.right, state)
}

type Ran = Exclude<RehearsalAnswer, { kind: 'refused' }>

const outcomeOf = (answer: Ran): Pick<Rehearsal, 'outcome' | 'result' | 'error'> => {
  switch (answer.kind) {
    case 'succeeded':
      return { outcome: 'SUCCESS', result: answer.result, error: null }
    case 'failed': {
      const { type, code, message } = answer.error
      return {
        outcome: type === 'LEASE_LOST' || type === 'ATTEMPT_ENDED' || type === 'TAMPERED' ? 'CRASHED' : type,
        result: null,
        error: { code, message },
      }
    }
    case 'timeout':
      return { outcome: 'TIMEOUT', result: null, error: { code: 'REHEARSAL_TIMEOUT', message: answer.message } }
    case 'crashed':
      return { outcome: 'CRASHED', result: null, error: { code: 'REHEARSAL_CRASHED', message: answer.message } }
  }
}

/** The command's status that the log would have after the attempt. */
const after = (running: Running, answer: Ran, at: string, clock: Clock): CommandStatus | null => {
  if (answer.kind === 'timeout' || answer.kind === 'crashed') return null
  const base = { at, actor: REHEARSER, attempt: running.attempts }
  const report: ReportSuccess | ReportFailure =
    answer.kind === 'succeeded'
      ? { ...base, type: 'ReportSuccess', result: answer.result }
      : { ...base, type: 'ReportFailure', error: answer.error, random: clock.random() }
  const decision = command.decide(report, running)
  const state = isLeft(decision) ? running : fold<CommandState, CommandEvent>(command, decision.right, running)
  return state.status === 'NONE' ? null : state.status
}
