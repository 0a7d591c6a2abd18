import type { CommandEvent } from '../../domain/command/events.ts'
import { command } from '../../domain/command/index.ts'
import type { CommandIntent } from '../../domain/command/intents.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { EventContext } from '../../domain/recorded.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { createTransact, type Transact } from '../shared/transact.ts'

export type TransactCommands = Transact<CommandState, CommandIntent, CommandEvent, CommandRejection>

export const createTransactCommands = (store: EventStore<CommandEvent>, ids: Ids): TransactCommands =>
  createTransact({ decider: command, store, ids, contextOf })

/** The context that is stored with each event of a command. */
export const contextOf = (state: CommandState): EventContext => {
  if (state.status === 'NONE') throw new Error('a command that was never sent has no context')
  const { commandType, correlationId, causationId, replyTo, tenantId, priority, lane, traceparent } = state.sent
  const context = { commandType, correlationId, causationId, replyTo, tenantId }
  if (priority === undefined && lane === undefined && traceparent === undefined) return context
  return {
    ...context,
    ...(priority === undefined ? {} : { priority }),
    ...(lane === undefined ? {} : { lane }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
