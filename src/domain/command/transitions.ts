import type { CommandEvent, CommandEventType } from './events.ts'

export const commandStatuses = [
  'PENDING',
  'IN_PROGRESS',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'IN_TROUBLESHOOTING_QUEUE',
] as const

/** The status of a command; docs/lifecycle.md shows how they follow each other. */
export type CommandStatus = (typeof commandStatuses)[number]

type TerminalStatus = 'COMPLETED' | 'FAILED' | 'CANCELED'

export const terminalStatuses: readonly CommandStatus[] = ['COMPLETED', 'FAILED', 'CANCELED'] satisfies TerminalStatus[]

export interface Transition {
  /** `NONE`: the command does not exist yet. */
  readonly from: readonly (CommandStatus | 'NONE')[]
  readonly to: CommandStatus
  /** What the audit calls it; `namesOf` knows the exceptions. */
  readonly audit: readonly string[]
}

const table = {
  CommandSent: { from: ['NONE'], to: 'PENDING', audit: ['SENT'] },
  CommandReceived: { from: ['PENDING', 'IN_PROGRESS'], to: 'IN_PROGRESS', audit: ['RECEIVED'] },
  CommandFailed: { from: ['IN_PROGRESS'], to: 'PENDING', audit: ['FAILED', 'RETRY_SCHEDULED'] },
  CommandMovedToTroubleshooting: {
    from: ['PENDING', 'IN_PROGRESS'],
    to: 'IN_TROUBLESHOOTING_QUEUE',
    audit: ['MOVED_TO_TROUBLESHOOTING_QUEUE'],
  },
  CommandRejectedByBusinessRule: { from: ['IN_PROGRESS'], to: 'FAILED', audit: ['BUSINESS_RULE_FAILED'] },
  CommandExhausted: { from: ['IN_PROGRESS'], to: 'FAILED', audit: ['RETRY_EXHAUSTED'] },
  // from PENDING: a success that carries its receipt
  CommandCompleted: { from: ['PENDING', 'IN_PROGRESS'], to: 'COMPLETED', audit: ['COMPLETED'] },
  CommandCanceled: { from: ['PENDING'], to: 'CANCELED', audit: ['CANCELED'] },
  CommandRescheduled: { from: ['PENDING'], to: 'PENDING', audit: ['RESCHEDULED'] },
  CommandExpired: { from: ['PENDING'], to: 'CANCELED', audit: ['COMMAND_EXPIRED'] },
  OperatorRetried: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'PENDING', audit: ['OPERATOR_RETRY'] },
  OperatorCanceled: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'CANCELED', audit: ['OPERATOR_CANCEL'] },
  OperatorCompleted: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'COMPLETED', audit: ['OPERATOR_COMPLETE'] },
  OperatorSnoozed: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'IN_TROUBLESHOOTING_QUEUE', audit: ['OPERATOR_SNOOZE'] },
  OperatorNoted: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'IN_TROUBLESHOOTING_QUEUE', audit: ['OPERATOR_NOTE'] },
  OperatorAssigned: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'IN_TROUBLESHOOTING_QUEUE', audit: ['OPERATOR_ASSIGN'] },
  OperatorTagged: { from: ['IN_TROUBLESHOOTING_QUEUE'], to: 'IN_TROUBLESHOOTING_QUEUE', audit: ['OPERATOR_TAG'] },
  OperatorEndedAttempt: { from: ['IN_PROGRESS'], to: 'IN_TROUBLESHOOTING_QUEUE', audit: ['OPERATOR_END_ATTEMPT'] },
} as const satisfies Readonly<Record<CommandEventType, Transition>>

/** Every legal transition of a command. `decide`, the audit, the diagram in the docs and the property tests read this table. */
export const transitions: Readonly<Record<CommandEventType, Transition>> = table

/** The events after which a command has this status, or one of these. */
export type EventTo<Status extends CommandStatus> = Extract<CommandEvent, { readonly type: EventTypeTo<Status> }>

type EventTypeTo<Status> = {
  [Type in CommandEventType]: (typeof table)[Type]['to'] extends Status ? Type : never
}[CommandEventType]

/** Whether a command is parked after this event: it parks the command, or leaves it parked. */
export const isParking = (event: CommandEvent): event is EventTo<'IN_TROUBLESHOOTING_QUEUE'> =>
  table[event.type].to === 'IN_TROUBLESHOOTING_QUEUE'

/** Whether the event ends a command for good. */
export const isFinal = (event: CommandEvent): event is EventTo<TerminalStatus> =>
  terminalStatuses.includes(table[event.type].to)

export const isLegal = (event: CommandEventType, from: CommandStatus | 'NONE'): boolean =>
  transitions[event].from.includes(from)

/** Events after which a command stands where it may have stood before: nothing has ended or begun. */
export const staying: readonly CommandEventType[] = (Object.keys(transitions) as CommandEventType[]).filter(type =>
  transitions[type].from.every(status => status === transitions[type].to),
)
