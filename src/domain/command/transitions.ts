import type { CommandEventType } from './events.ts'

export const commandStatuses = [
  'PENDING',
  'IN_PROGRESS',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'IN_TROUBLESHOOTING_QUEUE',
] as const

export type CommandStatus = (typeof commandStatuses)[number]

export const terminalStatuses: readonly CommandStatus[] = ['COMPLETED', 'FAILED', 'CANCELED']

export interface Transition {
  /** `NONE`: the command does not exist yet. */
  readonly from: readonly (CommandStatus | 'NONE')[]
  readonly to: CommandStatus
}

/** Every legal transition of a command. `decide`, the diagram in the docs and the property tests read this table. */
export const transitions: Readonly<Record<CommandEventType, Transition>> = {
  CommandSent: { from: ['NONE'], to: 'PENDING' },
  CommandReceived: { from: ['PENDING', 'IN_PROGRESS'], to: 'IN_PROGRESS' },
  CommandFailed: { from: ['IN_PROGRESS'], to: 'PENDING' },
  CommandMovedToTroubleshooting: { from: ['PENDING', 'IN_PROGRESS'], to: 'IN_TROUBLESHOOTING_QUEUE' },
  CommandRejectedByBusinessRule: { from: ['IN_PROGRESS'], to: 'FAILED' },
  CommandExhausted: { from: ['IN_PROGRESS'], to: 'FAILED' },
  // from PENDING: a success that carries its receipt
  CommandCompleted: { from: ['PENDING', 'IN_PROGRESS'], to: 'COMPLETED' },
  CommandCanceled: { from: ['PENDING'], to: 'CANCELED' },
  OperatorRetried: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'PENDING' },
  OperatorCanceled: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'CANCELED' },
  OperatorCompleted: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'COMPLETED' },
  OperatorEndedAttempt: { from: ['IN_PROGRESS'], to: 'IN_TROUBLESHOOTING_QUEUE' },
}

export const isLegal = (event: CommandEventType, from: CommandStatus | 'NONE'): boolean =>
  transitions[event].from.includes(from)
