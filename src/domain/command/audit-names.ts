import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandExhausted } from './events.ts'
import { transitions } from './transitions.ts'

/** Every word of the audit, in the order of a life. */
export const auditTypes: readonly string[] = [...new Set(Object.values(transitions).flatMap(({ audit }) => audit))]

/** Other words for some of them, for those who filter. */
const aliases: Readonly<Record<string, string>> = { MOVED_TO_TSQ: 'MOVED_TO_TROUBLESHOOTING_QUEUE' }

/** What `parseAuditType` takes. */
export const auditWords: readonly string[] = [...auditTypes, ...Object.keys(aliases)]

/** A word of the audit, or an alias of one. */
export const parseAuditType = (text: string): Either<string, string> => {
  const type = Object.hasOwn(aliases, text) ? aliases[text] : text
  return type !== undefined && auditTypes.includes(type)
    ? right(type)
    : left(`'${text.slice(0, 80)}' is none of ${auditWords.join(', ')}`)
}

/**
 * What the audit calls one event. A success may carry its receipt: then it tells of both. A failure that no retry could mend has
 * exhausted nothing, whatever its policy did with it: it FAILED, and no retry is scheduled.
 */
export const namesOf = (event: CommandEvent): readonly string[] => {
  if (event.type === 'CommandCompleted' && event.receipt !== undefined)
    return ['RECEIVED', ...transitions[event.type].audit]
  return event.type === 'CommandExhausted' && !ranOut(event) ? ['FAILED'] : transitions[event.type].audit
}

const ranOut = ({ error }: CommandExhausted): boolean => error.type === 'TRANSIENT' || error.type === 'LEASE_LOST'
