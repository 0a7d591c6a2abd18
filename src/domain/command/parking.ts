import type { Instant } from '../instant.ts'
import type { CommandEvent, ParkingReason } from './events.ts'
import type { EventTo } from './transitions.ts'

/** What state, row and history say of a parked command, under the names of its columns. */
export interface Parking {
  readonly parkedAt: Instant
  readonly parkedReason: ParkingReason
  /** Until then it is left out of counts and alarms; null: nobody has snoozed it. */
  readonly snoozedUntil: Instant | null
}

export const notParked: Readonly<Record<keyof Parking, null>> = {
  parkedAt: null,
  parkedReason: null,
  snoozedUntil: null,
}

/** All of it, from one event alone: rows are made from the last event. */
export const parkingOf = (event: EventTo<'IN_TROUBLESHOOTING_QUEUE'>): Parking => {
  switch (event.type) {
    case 'CommandMovedToTroubleshooting':
      return { parkedAt: event.at, parkedReason: event.reason, snoozedUntil: null }
    case 'OperatorEndedAttempt':
      return { parkedAt: event.at, parkedReason: 'ATTEMPT_ENDED', snoozedUntil: null }
    case 'OperatorSnoozed':
      return { parkedAt: event.parkedAt, parkedReason: event.parkedReason, snoozedUntil: event.until }
    case 'OperatorNoted':
    case 'OperatorAssigned':
    case 'OperatorTagged':
      return { parkedAt: event.parkedAt, parkedReason: event.parkedReason, snoozedUntil: event.snoozedUntil }
  }
}

/** What operators have written down about a command. It stays when the command is retried, and when it parks again. */
export interface Care {
  /** Who takes care of it. */
  readonly assignee: string | null
  readonly tags: readonly string[]
  /** How many notes it has; the audit has their texts. */
  readonly notes: number
}

export const noCare: Care = { assignee: null, tags: [], notes: 0 }

/** What an event changes of it. */
export const careOf = (event: CommandEvent): Partial<Care> => {
  switch (event.type) {
    case 'OperatorNoted':
      return { notes: event.number }
    case 'OperatorAssigned':
      return { assignee: event.assignee }
    case 'OperatorTagged':
      return { tags: event.tags }
    default:
      return {}
  }
}

/** Which parked commands are meant; all conditions hold together, and none means every one. */
export interface ParkedFilter {
  readonly domain?: string
  readonly commandType?: string
  readonly errorCode?: string
  /** Where its last error was thrown, as a group shows it; `none`: not known. */
  readonly frame?: string
  /** Moved to troubleshooting at or after. */
  readonly from?: string
  /** Moved to troubleshooting before. */
  readonly to?: string
  /** Part of an id, an error code or an error message, whatever the case. */
  readonly q?: string
  /** Whether an operator has snoozed them for now. Without it: all. */
  readonly snoozed?: boolean
  /** Who takes care of them: the whole name. */
  readonly assignee?: string
  /** One of their tags. */
  readonly tag?: string
}

/** In a filter: the errors of which it is not known where they were thrown. */
export const NO_FRAME = 'none'

/** How a condition is read, from a program, a request, the command line or the console. */
export interface Condition {
  readonly kind: 'domain' | 'commandType' | 'text' | 'instant' | 'boolean'
  /** An action on many commands does not take it. */
  readonly onlyLists?: true
  /** Of the command line, where it has the condition. */
  readonly flag?: string
  readonly about?: string
  /** Of its field in the console, and what a boolean offers there. */
  readonly label: string
  readonly choices?: Readonly<Record<string, string>>
}

/** In the order of the console's fields. */
const conditions = {
  domain: { kind: 'domain', flag: '--domain <domain>', about: 'of this domain', label: 'Domain' },
  commandType: { kind: 'commandType', flag: '--type <type>', about: 'of this command type', label: 'Type' },
  errorCode: {
    kind: 'text',
    flag: '--error-code <code>',
    about: 'whose last error has this code',
    label: 'Error code',
  },
  frame: {
    kind: 'text',
    flag: '--frame <place>',
    about: 'whose last error was thrown there, as `tsq groups` shows it; none: where that is not known',
    label: 'Thrown at',
  },
  q: { kind: 'text', onlyLists: true, label: 'Id or message has' },
  snoozed: {
    kind: 'boolean',
    onlyLists: true,
    flag: '--snoozed <true|false>',
    about: 'that are snoozed now, or that are not (default: both)',
    label: 'Snoozed',
    choices: { true: 'Now', false: 'Not now' },
  },
  assignee: {
    kind: 'text',
    onlyLists: true,
    flag: '--assignee <who>',
    about: 'that are assigned to this person',
    label: 'Assignee',
  },
  tag: { kind: 'text', onlyLists: true, flag: '--tag <tag>', about: 'that have this tag', label: 'Tag' },
  from: { kind: 'instant', flag: '--from <time>', about: 'parked at or after this ISO 8601 time', label: 'Since' },
  to: { kind: 'instant', flag: '--to <time>', about: 'parked before this ISO 8601 time', label: 'Before' },
} as const satisfies { readonly [Name in keyof Required<ParkedFilter>]: Condition }

export type ConditionName = keyof typeof conditions

/** The conditions of a list of parked commands, each with its name. */
export const parkedConditions: readonly (readonly [name: ConditionName, condition: Condition])[] = Object.entries(
  conditions,
) as never

/** A condition of a filter for actions on many. */
export type ActionCondition = 'domain' | 'commandType' | 'errorCode' | 'frame' | 'from' | 'to'

/** The parked commands of an action on many: those that match all conditions; no condition means every parked command. */
export type ActionFilter = Pick<ParkedFilter, ActionCondition>

/** Those of an action on many. */
export const actionConditions = parkedConditions.filter(([, { onlyLists }]) => !onlyLists)

/** Whether a parked command meets the conditions on what may change while it is parked, as it stood at an instant. */
export const meets = (
  { snoozed, assignee, tag }: ParkedFilter,
  then: Pick<Parking, 'snoozedUntil'> & Pick<Care, 'assignee' | 'tags'>,
  at: Instant,
): boolean =>
  (snoozed === undefined || snoozed === (then.snoozedUntil !== null && then.snoozedUntil > at)) &&
  (assignee === undefined || assignee === then.assignee) &&
  (tag === undefined || then.tags.includes(tag))
