import type { CommandError, CommandEvent } from '../../domain/command/events.ts'
import { commandStream } from '../../domain/command/names.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { EventStore } from '../ports/event-store.ts'
import { CommandNotFoundError } from '../shared/errors.ts'
import { commandIdOf, domainOf, optional } from '../shared/input.ts'
import { isWithin, scopedTenantOf } from '../shared/scope.ts'

/**
 * `RUNNING`: a worker has it now. `FAILED`: tried again. `PARKED`, `REJECTED` (by a business rule) and `EXHAUSTED`: the command
 * ended there. `HANDED_BACK`: its worker could not go on, and the next attempt has the same number. `LOST`: its worker left no
 * report. `ENDED`: by an operator.
 */
export const attemptOutcomes = [
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'HANDED_BACK',
  'PARKED',
  'REJECTED',
  'EXHAUSTED',
  'LOST',
  'ENDED',
] as const
/** How an attempt ended. */
export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** One call of a handler for a command: when it was due, began and ended, by which worker, and how it ended. */
export interface Attempt {
  /** Within its round: an operator's retry begins a new one. */
  readonly attempt: number
  readonly round: number
  /** Since when a worker could have taken it. */
  readonly dueAt: Instant
  /** Null: not known, as its worker left no trace. */
  readonly startedAt: Instant | null
  /** How long it was due and nobody took it, in milliseconds. */
  readonly waitedMs: number | null
  /** Null: it runs, or was lost. */
  readonly endedAt: Instant | null
  readonly ranMs: number | null
  /** Without the prefix `worker:`; null: not known. */
  readonly worker: string | null
  /** The version or commit of the worker's program; null: not known. */
  readonly build: string | null
  readonly outcome: AttemptOutcome
  /** With its stack, where one was recorded. */
  readonly error: CommandError | null
  /** When it is tried again; null: it is not, or at once. */
  readonly retryAt: Instant | null
}

/** @throws CommandNotFoundError, InvalidInputError */
export const readAttempts =
  (store: Pick<EventStore<CommandEvent>, 'readStream'>) =>
  async (
    domain: string,
    commandId: string,
    options: { readonly tenantId?: string } = {},
  ): Promise<readonly Attempt[]> => {
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    const tenantId = optional(options.tenantId, scopedTenantOf)
    const events = await store.readStream(commandStream(key), 0, { recordedOnly: true })
    const isTheirs = tenantId === null || isWithin({ tenantId }, events[0]?.context.tenantId ?? null)
    if (events.length === 0 || !isTheirs) throw new CommandNotFoundError(key.domain, key.commandId)
    return attemptsOf(events)
  }

interface Folding {
  readonly attempts: readonly Attempt[]
  readonly round: number
  readonly dueAt: Instant
}

/** The attempts that the events of a command tell of, oldest first. */
export const attemptsOf = (events: readonly Pick<Recorded<CommandEvent>, 'event'>[]): readonly Attempt[] =>
  events.reduce<Folding>((folding, { event }) => next(folding, event), { attempts: [], round: 1, dueAt: '' }).attempts

const next = (folding: Folding, event: CommandEvent): Folding => {
  switch (event.type) {
    case 'CommandSent':
      return { ...folding, dueAt: event.runAt ?? event.at }
    case 'CommandRescheduled':
      return { ...folding, dueAt: event.runAt }
    case 'OperatorRetried':
      return { ...folding, round: folding.round + 1, dueAt: event.at }
    case 'CommandReceived':
      return begun(folding, event, event.lost ? null : event.at)
    case 'CommandFailed': {
      const outcome = event.uncounted === true ? 'HANDED_BACK' : 'FAILED'
      return { ...ended(folding, event, outcome, event.error, event.retryAt), dueAt: event.retryAt }
    }
    case 'CommandMovedToTroubleshooting':
      return ended(folding, event, event.reason === 'LEASE_LOST' ? 'LOST' : 'PARKED', event.error)
    case 'CommandRejectedByBusinessRule':
      return ended(folding, event, 'REJECTED', event.error)
    case 'CommandExhausted':
      return ended(folding, event, event.error.type === 'LEASE_LOST' ? 'LOST' : 'EXHAUSTED', event.error)
    case 'OperatorEndedAttempt':
      return ended(folding, event, 'ENDED', event.error)
    case 'CommandCompleted':
      return ended(
        event.receipt === undefined ? folding : begun(folding, event, event.receipt.at),
        event,
        'COMPLETED',
        null,
      )
    case 'CommandCanceled':
    case 'CommandExpired':
    case 'OperatorCanceled':
    case 'OperatorCompleted':
    case 'OperatorSnoozed':
    case 'OperatorNoted':
    case 'OperatorAssigned':
    case 'OperatorTagged':
      return folding
  }
}

type AttemptEvent = Extract<CommandEvent, { readonly attempt: number }>

/** An attempt that still runs then has no worker any more. */
const begun = (folding: Folding, event: AttemptEvent, startedAt: Instant | null): Folding => {
  const { attempts, round, dueAt } = folding
  const lost = attempts.map(one => (one.outcome === 'RUNNING' ? { ...one, outcome: 'LOST' as const } : one))
  const attempt: Attempt = {
    attempt: event.attempt,
    round,
    dueAt,
    startedAt,
    waitedMs: startedAt === null ? null : between(dueAt, startedAt),
    endedAt: null,
    ranMs: null,
    worker: startedAt === null ? null : event.actor.replace(/^worker:/, ''),
    build: startedAt === null ? null : buildOf(event),
    outcome: startedAt === null ? 'LOST' : 'RUNNING',
    error: null,
    retryAt: null,
  }
  return { ...folding, attempts: [...lost, attempt] }
}

const ended = (
  folding: Folding,
  event: AttemptEvent,
  outcome: AttemptOutcome,
  error: CommandError | null,
  retryAt: Instant | null = null,
): Folding => {
  const last = folding.attempts.at(-1)
  // it was parked or failed without having been begun by anybody
  if (last?.attempt !== event.attempt || last.round !== folding.round)
    return ended(begun(folding, event, event.at), event, outcome, error, retryAt)
  const endedAt = outcome === 'LOST' ? null : event.at
  const done: Attempt = {
    ...last,
    endedAt,
    ranMs: endedAt === null || last.startedAt === null ? null : between(last.startedAt, endedAt),
    build: last.build ?? (outcome === 'LOST' ? null : buildOf(event)),
    outcome,
    error,
    retryAt,
  }
  return { ...folding, attempts: [...folding.attempts.slice(0, -1), done] }
}

/** Clocks of several machines may differ a little. */
const between = (from: Instant, to: Instant): number => Math.max(0, Date.parse(to) - Date.parse(from))

const buildOf = (event: object): string | null =>
  'build' in event && typeof event.build === 'string' ? event.build : null
