import { isLeft } from 'fp-ts/lib/Either.js'
import { command } from '../../domain/command/index.ts'
import { type CommandIntent, operatorIntent } from '../../domain/command/intents.ts'
import { commandQueue, commandStream } from '../../domain/command/names.ts'
import { type ActionDetails, actionNamed, type ParkedAction } from '../../domain/command/operator-actions.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import { fold } from '../../domain/decider.ts'
import type { IntentBase } from '../../domain/intent-base.ts'
import type { TransactCommands } from '../commands/transact-commands.ts'
import type { BulkDetails, DueItem, ItemMark, TakenAction } from '../ports/action-store.ts'
import type { Turn } from '../shared/transact.ts'
import { refusal, unmoved } from './operate-command.ts'

type CommandTurn = Turn<CommandState, CommandIntent, CommandRejection>

/**
 * For a log in another database than the marks. An item may then be done but not marked; the next try recognises it by the
 * id of its event.
 */
export interface SeparateLog {
  readonly eventIdOf: (actionId: string, ordinal: number) => string
  /** The id of the event at a revision, or null. */
  readonly idAt: (stream: string, revision: number) => Promise<string | null>
}

export interface AppliedItems {
  readonly marks: readonly ItemMark[]
  /** Queues that received messages. */
  readonly filled: ReadonlySet<string>
}

/**
 * Applies the action to each item and returns the outcomes. Appends in the transaction of `taken`, unless the log is
 * outside it.
 */
export const applyAction = async (
  transact: TransactCommands,
  taken: TakenAction,
  items: readonly DueItem[],
  at: string,
  separateLog?: SeparateLog,
): Promise<AppliedItems> => {
  const { details, operator, id, exact } = taken.action
  const intent = intentOf(details, { at, actor: operator })
  const marks: ItemMark[] = []
  const turns: CommandTurn[] = []
  const applying: DueItem[] = []
  for (const item of items) {
    if (isLeft(item.history)) marks.push({ ordinal: item.ordinal, outcome: 'FAILED', message: item.history.left })
    else {
      const state = fold(command, item.history.right)
      const revision = item.history.right.length - 1
      turns.push({
        stream: commandStream(item),
        intents: [intent],
        known: { state, revision },
        guard: exact ? unmoved(item.revision) : asItWas(item),
        ...(separateLog === undefined ? {} : { firstId: separateLog.eventIdOf(id, item.ordinal) }),
      })
      applying.push(item)
    }
  }
  const filled = new Set<string>()
  const outcomes =
    turns.length === 0 ? [] : await transact(turns, separateLog === undefined ? { within: taken.within } : {})
  const done = await Promise.all(
    outcomes.map(({ outcome }, i) => outcome === 'done' || isOwnWork(separateLog, turns[i], applying[i])),
  )
  outcomes.forEach((outcome, i) => {
    const item = applying[i] as DueItem
    if (outcome.outcome === 'rejected' && done[i] !== true) {
      marks.push({ ordinal: item.ordinal, ...refused(item, outcome.rejection) })
      return
    }
    marks.push({ ordinal: item.ordinal, outcome: 'SUCCEEDED', message: null })
    const queue = filledBy(details.action, item.domain, outcome.now.state)
    if (queue !== null) filled.add(queue)
  })
  return { marks, filled }
}

/** Whether an earlier try did the item, but could not mark it. */
const isOwnWork = async (
  separateLog: SeparateLog | undefined,
  turn: CommandTurn | undefined,
  item: DueItem | undefined,
): Promise<boolean> =>
  separateLog !== undefined &&
  turn?.firstId !== undefined &&
  item !== undefined &&
  (await separateLog.idAt(turn.stream, item.revision + 1)) === turn.firstId

/** The action's intent for each command. */
export const intentOf = ({ action, ...details }: BulkDetails, base: IntentBase): CommandIntent =>
  operatorIntent(action, details as ActionDetails[typeof action], base)

/** Refuses a command that was parked again after the request: the operator has not decided about that failure. */
const asItWas =
  ({ revision }: DueItem) =>
  (state: CommandState): CommandRejection | null =>
    state.status === 'IN_TROUBLESHOOTING_QUEUE' && state.parkedBy > revision
      ? { type: 'NotInTroubleshooting', status: state.status }
      : null

const refused = ({ domain, commandId }: DueItem, rejection: CommandRejection): Omit<ItemMark, 'ordinal'> => {
  if (rejection.type === 'Moved') {
    return { outcome: 'SKIPPED', message: `command ${commandId} has changed since the plan was made` }
  }
  if (rejection.type !== 'NotInTroubleshooting') {
    return { outcome: 'FAILED', message: refusal(domain, commandId, rejection).message }
  }
  return {
    outcome: 'SKIPPED',
    message:
      rejection.status === 'IN_TROUBLESHOOTING_QUEUE'
        ? `command ${commandId} was parked again after the request`
        : refusal(domain, commandId, rejection).message,
  }
}

/** The queue that received a message through this action. */
const filledBy = (action: ParkedAction, domain: string, state: CommandState): string | null => {
  const { fills } = actionNamed(action)
  if (fills === null || state.status === 'NONE') return null
  return fills === 'command' ? commandQueue(domain, state.sent.priority) : state.sent.replyTo
}
