import { isLeft } from 'fp-ts/lib/Either.js'
import type { ScheduleEvent } from '../../domain/flow/schedule/events.ts'
import { scheduleStream } from '../../domain/flow/schedule/names.ts'
import {
  type ScheduleIntent,
  type ScheduleRejection,
  type ScheduleState,
  schedule,
} from '../../domain/flow/schedule/schedule.ts'
import { firstTimes } from '../../domain/flow/schedule/times.ts'
import type { Json } from '../../domain/json/json.ts'
import type { CommandToSend, SentCommand } from '../commands/send-command.ts'
import type { Scope } from '../ports/authorization.ts'
import type { CronTimes } from '../ports/cron-times.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import type { ScheduleFilter, ScheduleProgress, ScheduleQueries } from '../ports/reading/schedule-queries.ts'
import { domainOf, optional, pagingOf, textOf } from '../shared/input.ts'
import { isWithin, scopedTenantOf } from '../shared/scope.ts'
import { ScheduleNameTakenError, ScheduleNotFoundError } from './schedule-errors.ts'
import { type NewSchedule, scheduleNameOf, scheduleSettingsOf, timesOf } from './schedule-input.ts'
import { commandOfSchedule } from './send-due.ts'
import type { SettingKind, Settings } from './settings-store.ts'

/** A schedule: what it sends, when, and how far it is. Times are ISO 8601. */
export interface Schedule extends Required<Omit<NewSchedule, 'data' | 'cron' | 'everySeconds' | 'replyTo' | 'key'>> {
  readonly name: string
  /** Null in lists when it has more than 4 KiB; the two members below then give its size as JSON text, and its beginning. */
  readonly data: Json
  readonly dataBytes?: number
  readonly dataPreview?: string
  readonly tenantId: string | null
  readonly status: 'ACTIVE' | 'PAUSED'
  readonly cron: string | null
  readonly everySeconds: number | null
  readonly replyTo: string | null
  readonly key: string | null
  readonly createdAt: string
  readonly createdBy: string
  /** When and by whom it was last set. */
  readonly setAt: string
  readonly setBy: string
  readonly pausedAt: string | null
  readonly pausedBy: string | null
  readonly pauseReason: string | null
  /** The next five times; none while it is paused. */
  readonly next: readonly string[]
  /** The last time that was sent, and the id of its command. */
  readonly lastTime: string | null
  readonly lastCommandId: string | null
  /** The last time that was passed over: missed, or while the command of the time before had not ended. */
  readonly lastPassedOver: string | null
}

/** Who changes a schedule. */
export interface ScheduleOptions extends Scope {
  /** Who does so, for the record. Default `operator`. */
  readonly operator?: string
}

/** Schedules: each sends a command at the times of a cron, or every so many seconds. */
export interface ScheduleCalls {
  /**
   * Creates a schedule or changes it. Times from before the change that were not sent are not sent any more. `tenantId` of
   * the options: the tenant of the commands of a new schedule.
   * @throws InvalidInputError, ScheduleNameTakenError
   */
  readonly set: (name: string, given: NewSchedule, options?: ScheduleOptions) => Promise<Schedule>
  /** The schedule, or null. */
  readonly get: (name: string, scope?: Scope) => Promise<Schedule | null>
  /** By name, in pages. @throws InvalidInputError */
  readonly list: (filter?: ScheduleFilter) => Promise<Page<Schedule>>
  /** Ends a schedule; its name may be used again. @throws ScheduleNotFoundError */
  readonly delete: (name: string, options?: ScheduleOptions) => Promise<{ readonly name: string }>
  /** Sends nothing until it is resumed. @throws ScheduleNotFoundError, InvalidInputError */
  readonly pause: (name: string, reason: string, options?: ScheduleOptions) => Promise<Schedule>
  /** Goes on with the next time; those in between are not sent. @throws ScheduleNotFoundError */
  readonly resume: (name: string, options?: ScheduleOptions) => Promise<Schedule>
  /** Sends its command once more, now, also while it is paused; its times stay as they are. @throws ScheduleNotFoundError */
  readonly run: (name: string, options?: ScheduleOptions) => Promise<SentCommand>
}

export interface SchedulesDeps {
  readonly settings: Pick<Settings, 'change'>
  readonly queries: ScheduleQueries
  readonly cronTimes: CronTimes
  /** The clock that says what is due, in milliseconds since 1970: the database's, as those of processes may be wrong. */
  readonly now: () => Promise<number>
  readonly send: (domain: string, command: CommandToSend) => Promise<SentCommand>
  /** Called after each change. */
  readonly onChanged: () => void
}

const SHOWN_TIMES = 5

const kind: SettingKind<ScheduleState, ScheduleIntent, ScheduleEvent, ScheduleRejection> = {
  name: 'Schedule',
  prefix: scheduleStream(''),
  decider: schedule,
  tenantOf: state => (state.status === 'NONE' ? null : state.tenantId),
}

export const createSchedules = (deps: SchedulesDeps): ScheduleCalls => {
  const { settings, queries, cronTimes, now, send, onChanged } = deps

  const viewOf = (
    name: string,
    state: Exclude<ScheduleState, { status: 'NONE' }>,
    progress: ScheduleProgress | null,
    at: number,
  ): Schedule => {
    const { incarnation, everyFrom, countsAfter, status, ...facts } = state
    const own = progress?.incarnation === incarnation ? progress : null
    const times = status === 'ACTIVE' ? firstTimes(timesOf(state, cronTimes), at, SHOWN_TIMES) : []
    return {
      name,
      status: status === 'PAUSED' ? 'PAUSED' : 'ACTIVE',
      ...facts,
      next: times.map(time => new Date(time).toISOString()),
      lastTime: own?.lastTime ?? null,
      lastCommandId: own?.lastCommandId ?? null,
      lastPassedOver: own?.lastPassedOver ?? null,
    }
  }

  const base = async ({ operator }: ScheduleOptions) => ({
    at: new Date(await now()).toISOString(),
    actor: optional(operator, value => textOf(value, 'operator', 200)) ?? 'operator',
  })

  const change = async (name: string, intent: ScheduleIntent, guard: (state: ScheduleState) => void) => {
    const changed = await settings.change(kind, name, intent, guard)
    if (isLeft(changed) || changed.right.state.status === 'NONE') throw new ScheduleNotFoundError(name)
    if (changed.right.changed) onChanged()
    return viewOf(name, changed.right.state, await queries.progress(name), Date.parse(intent.at))
  }

  /** A schedule of another tenant counts as unknown. */
  const within =
    (name: string, scope: Scope) =>
    (state: ScheduleState): void => {
      if (state.status !== 'NONE' && !isWithin(scope, state.tenantId)) throw new ScheduleNotFoundError(name)
    }

  const stored = async (name: string, scope: Scope) => {
    const found = await queries.find(name)
    return found !== null && isWithin(scope, found.facts.tenantId) ? found : null
  }

  return {
    set: async (given, settingsGiven, options = {}) => {
      const name = scheduleNameOf(given)
      const checked = scheduleSettingsOf(settingsGiven, cronTimes)
      const tenantId = optional(options.tenantId, scopedTenantOf)
      const intent = { ...(await base(options)), ...checked, type: 'Set' as const, tenantId: tenantId || null }
      return change(name, intent, state => {
        if (state.status === 'NONE' || state.status === 'DELETED' || isWithin(options, state.tenantId)) return
        throw new ScheduleNameTakenError(name)
      })
    },

    get: async (given, scope = {}) => {
      const found = await stored(scheduleNameOf(given), scope)
      if (found === null) return null
      return viewOf(found.name, { ...found.facts, status: found.status }, found.progress, await now())
    },

    list: async (filter = {}) => {
      const { domain, tenantId, ...paging } = filter
      const page = await queries.list({
        ...pagingOf(paging),
        ...(domain === undefined ? {} : { domain: domainOf(domain) }),
        ...(tenantId === undefined ? {} : { tenantId: scopedTenantOf(tenantId) }),
      })
      const at = await now()
      return {
        ...page,
        items: page.items.map(one => viewOf(one.name, { ...one.facts, status: one.status }, one.progress, at)),
      }
    },

    delete: async (given, options = {}) => {
      const name = scheduleNameOf(given)
      await change(name, { ...(await base(options)), type: 'Delete' }, within(name, options))
      return { name }
    },

    pause: async (given, reason, options = {}) => {
      const name = scheduleNameOf(given)
      const intent = { ...(await base(options)), type: 'Pause' as const, reason: textOf(reason, 'reason') }
      return change(name, intent, within(name, options))
    },

    resume: async (given, options = {}) => {
      const name = scheduleNameOf(given)
      return change(name, { ...(await base(options)), type: 'Resume' }, within(name, options))
    },

    run: async (given, options = {}) => {
      const name = scheduleNameOf(given)
      const { actor } = await base(options)
      const found = await stored(name, options)
      if (found === null) throw new ScheduleNotFoundError(name)
      return send(found.facts.domain, { ...commandOfSchedule(found.facts), actor, causationId: `${name} run now` })
    },
  }
}
