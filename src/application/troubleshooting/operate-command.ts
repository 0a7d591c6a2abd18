import type { CommandKey } from '../../domain/command/events.ts'
import { type CommandIntent, operatorIntent } from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import { type ActionName, actionNamed, actionNames } from '../../domain/command/operator-actions.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { CommandStatus } from '../../domain/command/transitions.ts'
import type { Json } from '../../domain/json/json.ts'
import { hashOf, PlanChangedError, type PlanToken, printIn, textOfToken } from '../acting/plan-token.ts'
import type { TransactCommands } from '../commands/transact-commands.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { CommandDetail, CommandQueries } from '../ports/reading/command-queries.ts'
import { newRunAtOf } from '../sending/flow-options.ts'
import {
  CommandNotFoundError,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
} from '../shared/errors.ts'
import { booleanOf, commandIdOf, domainOf, optional, textOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'
import { detailsOf } from './action-details.ts'
import type { PlanTurn, PlanTurns } from './dry-run.ts'
import type { Acted, ActorOptions, OperatorCall, OperatorCalls } from './operator-options.ts'

export interface OperateDeps {
  readonly transact: TransactCommands
  readonly clock: Clock
  readonly log: Log
  /** For dry runs. */
  readonly plan: PlanTurns
  /** The faults that the handler's codec, if known, finds in a payload for this command. */
  readonly faultsOf: (key: CommandKey, data: Json, scope: Scope) => Promise<readonly string[]>
}

/** Who cancels a command, and why. */
export interface CancelOptions extends Scope {
  /** The actor for the audit. Default `sender`. */
  readonly actor?: string
  readonly reason?: string
}

/** The actions of an operator on one command. */
export const createOperatorCalls = (deps: OperateDeps): OperatorCalls =>
  Object.fromEntries(actionNames.map(action => [action, operate(deps, action)])) as unknown as OperatorCalls

const operate =
  (deps: OperateDeps, action: ActionName): OperatorCall<ActorOptions, Acted<CommandStatus>> =>
  async (domain, commandId, options) => {
    const base = { at: deps.clock.now().toISOString(), actor: textOf(options?.operator, 'operator', 200) }
    const details = detailsOf(action, options, base.at)
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    const isDry = optional(options.dryRun, value => booleanOf(value, 'dryRun')) ?? false
    const faults = 'data' in details ? await deps.faultsOf(key, details.data, options) : []
    if (faults.length > 0) throw new InvalidPayloadError(faults)
    const intent = operatorIntent(action, details, base)
    const plan = optional(options.planToken, printIn)
    const print = isDry || plan !== null ? await printOfOne(action, key, details) : null
    if (plan !== null && (plan.options !== print?.options || plan.print !== print.print)) {
      throw new PlanChangedError([], 'options')
    }
    const guard = guardOf(options, plan)
    const done =
      print !== null && isDry ? await planned(deps, key, guard, intent, print) : await turn(deps, key, guard, intent)
    if (action === 'endAttempt' && !isDry)
      deps.log.info({ ...key, operator: base.actor, ...details }, 'parked: an operator ended the attempt')
    const { msgId, ...acted } = done
    return { commandId: key.commandId, ...acted, ...(actionNamed(action).fills === 'command' ? { msgId } : {}) }
  }

type Print = Omit<PlanToken, 'snapshot'>

/** Of one command a token has the revision itself, as its snapshot. */
const printOfOne = async (action: ActionName, key: CommandKey, details: object): Promise<Print> => ({
  options: await hashOf([action, details]),
  print: await hashOf([key.domain, key.commandId], 16),
})

const planned = async ({ plan }: OperateDeps, key: CommandKey, guard: Guard, intent: CommandIntent, print: Print) => {
  const [outcome] = await plan([{ key, intent, guard }])
  if (outcome === undefined) throw new Error('a turn without an outcome')
  if (outcome.outcome === 'rejected') throw refusal(key.domain, key.commandId, outcome.rejection)
  const planToken = textOfToken({ ...print, snapshot: String(outcome.revision) })
  return { status: outcome.plan.to, msgId: null, dryRun: outcome.plan, planToken }
}

/** Cancels a command for its sender, while it is PENDING. */
export const cancelCommand =
  (deps: Pick<OperateDeps, 'transact' | 'clock'>) =>
  async (domain: string, commandId: string, options: CancelOptions = {}) => {
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    await turn(deps, key, guardOf(options), {
      type: 'Cancel',
      at: deps.clock.now().toISOString(),
      actor: optional(options.actor, actor => textOf(actor, 'actor', 200)) ?? 'sender',
      reason: optional(options.reason, reason => textOf(reason, 'reason')),
    })
    return { commandId: key.commandId, status: 'CANCELED' as const }
  }

export interface RescheduleOptions extends Scope {
  /** Run it at this instant: ISO 8601, ahead by a year at the most. */
  readonly runAt?: string | Date
  /** Run it so many seconds from now: 0 (at once) to 31,536,000. */
  readonly delaySeconds?: number
  /** The actor for the audit. Default `sender`. */
  readonly actor?: string
}

/** Moves a command that nobody has begun to another time, or lets it run at once. */
export const rescheduleCommand =
  (deps: Pick<OperateDeps, 'transact' | 'clock'> & { readonly get: CommandQueries['get'] }) =>
  async (domain: string, commandId: string, options: RescheduleOptions): Promise<CommandDetail> => {
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    const at = deps.clock.now().toISOString()
    const actor = optional(options?.actor, given => textOf(given, 'actor', 200)) ?? 'sender'
    await turn(deps, key, guardOf(options ?? {}), {
      type: 'Reschedule',
      at,
      actor,
      runAt: newRunAtOf(options ?? {}, at),
    })
    const command = await deps.get(key.domain, key.commandId)
    if (command === null) throw new CommandNotFoundError(key.domain, key.commandId)
    return command
  }

const turn = async (
  { transact }: Pick<OperateDeps, 'transact'>,
  key: CommandKey,
  guard: Guard,
  intent: CommandIntent,
) => {
  const [outcome] = await transact([{ stream: commandStream(key), intents: [intent], guard }])
  if (outcome === undefined) throw new Error('a turn without an outcome')
  if (outcome.outcome === 'rejected') throw refusal(key.domain, key.commandId, outcome.rejection)
  return { status: outcome.now.state.status as CommandStatus, msgId: outcome.msgId }
}

type Guard = NonNullable<PlanTurn['guard']>

const guardOf = (scope: Scope, expected: PlanToken | null = null): Guard => {
  const within = onlyWithin(scope)
  const moved = expected === null ? () => null : unmoved(Number(expected.snapshot))
  return (state, revision) => within(state) ?? moved(state, revision)
}

/** Refuses a command that has other events than those at this revision. */
export const unmoved =
  (expected: number) =>
  (state: CommandState, revision: number): CommandRejection | null =>
    state.status === 'NONE' || revision === expected ? null : { type: 'Moved', status: state.status }

/** Refuses commands of other tenants as unknown. */
export const onlyWithin =
  (scope: Scope) =>
  (state: CommandState): CommandRejection | null =>
    state.status === 'NONE' || isWithin(scope, state.sent.tenantId) ? null : { type: 'NotFound' }

/** The public error for a refusal of the domain. */
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
    case 'Begun':
      return new InvalidOperationError(
        `command ${commandId} ${rejection.status === 'PENDING' ? 'was begun' : `is ${rejection.status}`}: it can be put off or run earlier only before a worker begins it`,
        rejection.status,
      )
    case 'ExpiresBefore':
      return new InvalidInputError(
        'runAt',
        `must lie before the time at which the command expires, ${rejection.expiresAt}`,
      )
    case 'NotInProgress':
      return new InvalidOperationError(
        `command ${commandId} is ${rejection.status}, not IN_PROGRESS: there is no attempt to end`,
        rejection.status,
      )
    case 'BlankReason':
      return new InvalidInputError('reason', 'must not be blank')
    case 'Moved':
      return new PlanChangedError([
        { domain, commandId, change: rejection.status === 'IN_TROUBLESHOOTING_QUEUE' ? 'moved' : 'gone' },
      ])
    case 'AlreadySent':
    case 'NothingToDo':
    case 'StaleAttempt':
      return new InvalidOperationError(`command ${commandId} is ${rejection.status}`, rejection.status)
  }
}
