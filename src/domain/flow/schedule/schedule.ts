import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Decider } from '../../decider.ts'
import type { Instant } from '../../instant.ts'
import type { IntentBase } from '../../intent-base.ts'
import { sameJson } from '../../json/same-json.ts'
import type { ScheduleEvent, ScheduleSettings } from './events.ts'

export interface ScheduleFacts extends ScheduleSettings {
  readonly tenantId: string | null
  readonly incarnation: number
  readonly everyFrom: Instant
  /** Only times after this instant count. */
  readonly countsAfter: Instant
  readonly createdAt: Instant
  readonly createdBy: string
  /** When and by whom its settings were last set. */
  readonly setAt: Instant
  readonly setBy: string
  readonly pausedAt: Instant | null
  readonly pausedBy: string | null
  readonly pauseReason: string | null
}

export type ScheduleState =
  | { readonly status: 'NONE' }
  | ({ readonly status: 'ACTIVE' | 'PAUSED' | 'DELETED' } & ScheduleFacts)

export type ScheduleIntent =
  /** The tenant is that of a new schedule. */
  | (IntentBase & ScheduleSettings & { readonly type: 'Set'; readonly tenantId: string | null })
  | (IntentBase & { readonly type: 'Pause'; readonly reason: string })
  | (IntentBase & { readonly type: 'Resume' | 'Delete' })

export interface ScheduleRejection {
  readonly type: 'NotFound'
}

const decide = (intent: ScheduleIntent, state: ScheduleState): Either<ScheduleRejection, readonly ScheduleEvent[]> => {
  const { at, actor } = intent
  if (intent.type === 'Set') {
    const { type: _, ...created } = intent
    const { tenantId: __, ...changed } = created
    if (state.status === 'NONE') return right([{ ...created, type: 'ScheduleCreated', everyFrom: at, incarnation: 1 }])
    if (state.status === 'DELETED') {
      const incarnation = state.incarnation + 1
      return right([{ ...created, type: 'ScheduleCreated', everyFrom: at, incarnation }])
    }
    if (isSame(intent, state)) return right([])
    const everyFrom = intent.everySeconds === state.everySeconds ? state.everyFrom : at
    return right([{ ...changed, type: 'ScheduleChanged', everyFrom }])
  }
  if (state.status === 'NONE') return left({ type: 'NotFound' })
  if (state.status === 'DELETED') return intent.type === 'Delete' ? right([]) : left({ type: 'NotFound' })
  switch (intent.type) {
    case 'Pause': {
      const { reason } = intent
      return right(state.pauseReason === reason ? [] : [{ type: 'SchedulePaused', at, actor, reason }])
    }
    case 'Resume':
      return right(state.status === 'ACTIVE' ? [] : [{ type: 'ScheduleResumed', at, actor }])
    case 'Delete':
      return right([{ type: 'ScheduleDeleted', at, actor }])
  }
}

const isSame = (one: ScheduleSettings, other: ScheduleSettings): boolean =>
  one.domain === other.domain &&
  one.commandType === other.commandType &&
  one.replyTo === other.replyTo &&
  one.priority === other.priority &&
  one.key === other.key &&
  one.cron === other.cron &&
  one.timeZone === other.timeZone &&
  one.everySeconds === other.everySeconds &&
  one.missed === other.missed &&
  one.maxMissed === other.maxMissed &&
  one.overlap === other.overlap &&
  sameJson(one.data, other.data)

const notPaused = { pausedAt: null, pausedBy: null, pauseReason: null }

const evolve = (state: ScheduleState, event: ScheduleEvent): ScheduleState => {
  if (event.type === 'ScheduleCreated') {
    const { type: _, at, actor, ...facts } = event
    const made = { countsAfter: at, createdAt: at, createdBy: actor, setAt: at, setBy: actor }
    return { ...facts, ...made, ...notPaused, status: 'ACTIVE' }
  }
  if (state.status === 'NONE') return state
  switch (event.type) {
    case 'ScheduleChanged': {
      const { type: _, at, actor, ...settings } = event
      return { ...state, ...settings, countsAfter: at, setAt: at, setBy: actor }
    }
    case 'SchedulePaused':
      return { ...state, status: 'PAUSED', pausedAt: event.at, pausedBy: event.actor, pauseReason: event.reason }
    case 'ScheduleResumed':
      return { ...state, ...notPaused, status: 'ACTIVE', countsAfter: event.at }
    case 'ScheduleDeleted':
      return { ...state, status: 'DELETED' }
  }
}

/** What sends a command at the times of a cron, or every so many seconds. */
export const schedule: Decider<ScheduleState, ScheduleIntent, ScheduleEvent, ScheduleRejection> = {
  initial: { status: 'NONE' },
  decide,
  evolve,
}
