import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandExhausted } from './events.ts'

/** The audit's name of each event, apart from the exceptions in `namesOf`. */
export const auditNames: Readonly<Record<CommandEvent['type'], readonly string[]>> = {
  CommandSent: ['SENT'],
  CommandReceived: ['RECEIVED'],
  CommandFailed: ['FAILED', 'RETRY_SCHEDULED'],
  CommandMovedToTroubleshooting: ['MOVED_TO_TROUBLESHOOTING_QUEUE'],
  CommandRejectedByBusinessRule: ['BUSINESS_RULE_FAILED'],
  CommandExhausted: ['RETRY_EXHAUSTED'],
  CommandCompleted: ['COMPLETED'],
  CommandCanceled: ['CANCELED'],
  OperatorRetried: ['OPERATOR_RETRY'],
  OperatorCanceled: ['OPERATOR_CANCEL'],
  OperatorCompleted: ['OPERATOR_COMPLETE'],
  OperatorEndedAttempt: ['OPERATOR_END_ATTEMPT'],
}

/** Every name the audit uses, in the order of a command's life. */
export const auditTypes: readonly string[] = [...new Set(Object.values(auditNames).flat())]

/** Other names that a filter accepts. */
const aliases: Readonly<Record<string, string>> = { MOVED_TO_TSQ: 'MOVED_TO_TROUBLESHOOTING_QUEUE' }

/** What `parseAuditType` accepts. */
export const auditWords: readonly string[] = [...auditTypes, ...Object.keys(aliases)]

export const parseAuditType = (text: string): Either<string, string> => {
  const type = Object.hasOwn(aliases, text) ? aliases[text] : text
  return type !== undefined && auditTypes.includes(type)
    ? right(type)
    : left(`'${text.slice(0, 80)}' is none of ${auditWords.join(', ')}`)
}

/**
 * The audit's names of one event. A success that carries its receipt has two. A failure that no retry could repair is FAILED,
 * not RETRY_EXHAUSTED, and no retry is scheduled.
 */
export const namesOf = (event: CommandEvent): readonly string[] => {
  if (event.type === 'CommandCompleted' && event.receipt !== undefined) return ['RECEIVED', ...auditNames[event.type]]
  return event.type === 'CommandExhausted' && !ranOut(event) ? ['FAILED'] : auditNames[event.type]
}

const ranOut = ({ error }: CommandExhausted): boolean => error.type === 'TRANSIENT' || error.type === 'LEASE_LOST'
