import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandExhausted } from './events.ts'
import { transitions } from './transitions.ts'

/** Every name the audit uses, in the order of a command's life. */
export const auditTypes: readonly string[] = [...new Set(Object.values(transitions).flatMap(({ audit }) => audit))]

/** Other names that a filter accepts. */
const aliases: Readonly<Record<string, string>> = { MOVED_TO_TSQ: 'MOVED_TO_TROUBLESHOOTING_QUEUE' }

/** What `parseAuditType` accepts. */
export const auditWords: readonly string[] = [...auditTypes, ...Object.keys(aliases)]

export const parseAuditType = (text: string): Either<string, string> => {
  const type = Object.hasOwn(aliases, text) ? aliases[text] : text
  return type !== undefined && auditTypes.includes(type)
    ? right(type)
    : left(`'${text.slice(0, 80)}' is not an event type: use one of ${auditWords.join(', ')}`)
}

/**
 * The audit's names of one event. A success that carries its receipt has two. A failure that no retry could repair is FAILED,
 * not RETRY_EXHAUSTED, and no retry is scheduled.
 */
export const namesOf = (event: CommandEvent): readonly string[] => {
  if (event.type === 'CommandCompleted' && event.receipt !== undefined)
    return ['RECEIVED', ...transitions[event.type].audit]
  return event.type === 'CommandExhausted' && !ranOut(event) ? ['FAILED'] : transitions[event.type].audit
}

const ranOut = ({ error }: CommandExhausted): boolean => error.type === 'TRANSIENT' || error.type === 'LEASE_LOST'
