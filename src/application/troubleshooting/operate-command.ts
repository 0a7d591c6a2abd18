import type { CommandKey } from '../../domain/command/events.ts'
import type {
  CommandIntent,
  OperatorCancel,
  OperatorComplete,
  OperatorEndAttempt,
  OperatorRetry,
} from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { Json } from '../../domain/json/json.ts'
import type { TransactCommands } from '../commands/transact-commands.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import {
  CommandNotFoundError,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
} from '../shared/errors.ts'
import { booleanOf, commandIdOf, domainOf, jsonOf, optional, textOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'
import type { CommandPlan, PlanTurns } from './dry-run.ts'

export interface OperateDeps {
  readonly transact: TransactCommands
  readonly clock: Clock
  /** For dry runs. */
  readonly plan: PlanTurns
  /** What the handler's codec, where one is known, has against a payload for this command. */
  readonly faultsOf: (key: CommandKey, data: Json, scope: Scope) => Promise<readonly string[]>
}

/** Only look what would happen. */
export interface DryRunOption {
  /** Nothing is done; the answer says what would be. It is refused where the action itself would be. */
  readonly dryRun?: boolean
}

export interface OperatorRetryOptions extends Scope, DryRunOption {
  /** Who does it, for the audit. */
  readonly operator: string
  /** Default true: the command gets all its attempts again. False: the count goes on, and one more attempt is made. */
  readonly resetAttempts?: boolean
  /** Replaces the payload; the original stays in the log, and the difference is noted. The handler's codec has to take it. */
  readonly data?: unknown
}

export interface OperatorCancelOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Required: the sender is told. */
  readonly reason: string
}

export interface OperatorCompleteOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Any JSON value; goes into the reply. Default null. */
  readonly resultData?: unknown
}

export interface EndAttemptOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Required: whoever finds the parked command wants to know. */
  readonly reason: string
}

export interface CancelOptions extends Scope {
  /** Who cancels, for the audit. Default `sender`. */
  readonly actor?: string
  readonly reason?: string
}

/** One operator's action on one parked command. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError */
export const operatorRetry =
  (deps: OperateDeps) => async (domain: string, commandId: string, options: OperatorRetryOptions) => {
    const data = options?.data === undefined ? undefined : jsonOf(options.data)
    const { msgId, ...plan } = await act(
      deps,
      domain,
      commandId,
      options,
      {
        ...retryIntent(askedBy(deps, options), options.resetAttempts ?? true),
        ...(data === undefined ? {} : { data }),
      },
      data,
    )
    return { commandId: commandId.toLowerCase(), status: 'PENDING' as const, msgId, ...plan }
  }

export const operatorCancel =
  (deps: OperateDeps) => async (domain: string, commandId: string, options: OperatorCancelOptions) => {
    const intent = cancelIntent(askedBy(deps, options), textOf(options?.reason, 'reason'))
    const { msgId: _, ...plan } = await act(deps, domain, commandId, options, intent)
    return { commandId: commandId.toLowerCase(), status: 'CANCELED' as const, ...plan }
  }

export const operatorComplete =
  (deps: OperateDeps) => async (domain: string, commandId: string, options: OperatorCompleteOptions) => {
    const intent = completeIntent(askedBy(deps, options), jsonOf(options?.resultData ?? null, 'resultData'))
    const { msgId: _, ...plan } = await act(deps, domain, commandId, options, intent)
    return { commandId: commandId.toLowerCase(), status: 'COMPLETED' as const, ...plan }
  }

/**
 * Ends the attempt that runs now: the command is parked, to be retried, canceled or completed. The worker tells its handler
 * to stop and frees the slot with its next heartbeat; what that attempt still reports does not count.
 */
export const endAttempt =
  (deps: OperateDeps & { readonly log: Log }) =>
  async (domain: string, commandId: string, options: EndAttemptOptions) => {
    const intent: OperatorEndAttempt = {
      ...askedBy(deps, options),
      type: 'OperatorEndAttempt',
      reason: textOf(options?.reason, 'reason'),
    }
    const { msgId: _, ...plan } = await act(deps, domain, commandId, options, intent)
    const ended = { commandId: commandId.toLowerCase(), status: 'IN_TROUBLESHOOTING_QUEUE' as const, ...plan }
    const { actor: operator, reason } = intent
    if (plan.dryRun === undefined)
      deps.log.info({ domain, commandId: ended.commandId, operator, reason }, 'parked: an operator ended the attempt')
    return ended
  }

/** The sender's own cancel, while the command is PENDING. */
export const cancelCommand =
  (deps: Pick<OperateDeps, 'transact' | 'clock'>) =>
  async (domain: string, commandId: string, options: CancelOptions = {}) => {
    await turn(deps, keyOf(domain, commandId), options, {
      type: 'Cancel',
      at: deps.clock.now().toISOString(),
      actor: optional(options.actor, actor => textOf(actor, 'actor', 200)) ?? 'sender',
      reason: optional(options.reason, reason => textOf(reason, 'reason')),
    })
    return { commandId: commandId.toLowerCase(), status: 'CANCELED' as const }
  }

/** Who acts and when, as every intent says. */
type Asked = Pick<OperatorRetry, 'at' | 'actor'>

/** What an operator asks of a parked command, whether of one or of many. */
export const retryIntent = (asked: Asked, resetAttempts: boolean): OperatorRetry => ({
  ...asked,
  type: 'OperatorRetry',
  resetAttempts,
})
export const cancelIntent = (asked: Asked, reason: string): OperatorCancel => ({
  ...asked,
  type: 'OperatorCancel',
  reason,
})
export const completeIntent = (asked: Asked, resultData: Json): OperatorComplete => ({
  ...asked,
  type: 'OperatorComplete',
  resultData,
})

const askedBy = ({ clock }: Pick<OperateDeps, 'clock'>, options: { readonly operator: string }): Asked => ({
  at: clock.now().toISOString(),
  actor: textOf(options?.operator, 'operator', 200),
})

const act = async (
  deps: OperateDeps,
  domain: string,
  commandId: string,
  options: Scope & DryRunOption,
  intent: CommandIntent,
  edited?: Json,
): Promise<{ readonly msgId: string | null; readonly dryRun?: CommandPlan }> => {
  const key = keyOf(domain, commandId)
  const isDry = optional(options.dryRun, value => booleanOf(value, 'dryRun')) ?? false
  const faults = edited === undefined ? [] : await deps.faultsOf(key, edited, options)
  if (faults.length > 0) throw new InvalidPayloadError(faults)
  if (!isDry) {
    const { msgId } = await turn(deps, key, options, intent)
    return { msgId }
  }
  const [planned] = await deps.plan([{ key, intent, ...guardOf(options) }])
  if (planned === undefined) throw new Error('a turn without an outcome')
  if (planned.outcome === 'rejected') throw refusal(key.domain, key.commandId, planned.rejection)
  return { msgId: null, dryRun: planned.plan }
}

const keyOf = (domain: string, commandId: string): CommandKey => ({
  domain: domainOf(domain),
  commandId: commandIdOf(commandId),
})

const turn = async (
  { transact }: Pick<OperateDeps, 'transact'>,
  key: CommandKey,
  options: Scope,
  intent: CommandIntent,
) => {
  const [outcome] = await transact([{ stream: commandStream(key), intents: [intent], ...guardOf(options) }])
  if (outcome === undefined) throw new Error('a turn without an outcome')
  if (outcome.outcome === 'rejected') throw refusal(key.domain, key.commandId, outcome.rejection)
  return outcome
}

const guardOf = (scope: Scope) => (scope.tenantId === undefined ? {} : { guard: onlyWithin(scope) })

/** Refuses the commands of other tenants as if they were not there. */
export const onlyWithin =
  (scope: Scope) =>
  (state: CommandState): CommandRejection | null =>
    state.status === 'NONE' || isWithin(scope, state.sent.tenantId) ? null : { type: 'NotFound' }

/** A domain's refusal as the error a caller catches. */
export const refusal = (domain: string, commandId: string, rejection: CommandRejection): Error => {
  switch (rejection.type) {
    case 'NotFound':
      return new CommandNotFoundError(domain, commandId)
    case 'NotInTroubleshooting':
      return new InvalidOperationError(
        `command ${commandId} is ${rejection.status}, not in troubleshooting: only parked commands can be operated on`,
        rejection.status,
      )
    case 'NotPending':
      return new InvalidOperationError(
        `command ${commandId} is ${rejection.status}: its sender can cancel it only while it is PENDING`,
        rejection.status,
      )
    case 'NotInProgress':
      return new InvalidOperationError(
        `command ${commandId} is ${rejection.status}, not IN_PROGRESS: there is no attempt to end`,
        rejection.status,
      )
    case 'BlankReason':
      return new InvalidInputError('reason', 'must not be blank')
    case 'AlreadySent':
    case 'NothingToDo':
    case 'StaleAttempt':
      return new InvalidOperationError(`command ${commandId} is ${rejection.status}`, rejection.status)
  }
}
