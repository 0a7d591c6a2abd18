import type { PauseQueries } from '../../application/ports/reading/flow-queries.ts'
import type {
  ScheduleProgress,
  ScheduleQueries,
  ScheduleWork,
  StoredSchedule,
} from '../../application/ports/reading/schedule-queries.ts'
import { cutMember } from '../../application/shared/cut-json.ts'
import { isWithin } from '../../application/shared/scope.ts'
import { commandStream } from '../../domain/command/names.ts'
import { terminalStatuses } from '../../domain/command/transitions.ts'
import { type PauseRow, pauseOf } from '../../infrastructure/postgres/flow/pause-rows.ts'
import { type ScheduleRow, storedOf } from '../../infrastructure/postgres/flow/schedule-rows.ts'
import type { Tables } from './tables.ts'

export interface FlowQueriesDeps {
  readonly tables: Tables
  readonly now: () => number
}

/** The pauses in force. */
export const createMemoryPauses = ({ tables, now }: FlowQueriesDeps): PauseQueries => ({
  inForce: async ({ domain, tenantId }) =>
    (tables.rows('command_bus_pause') as unknown as readonly (PauseRow & { readonly resumed_at: string | null })[])
      .filter(
        row =>
          row.resumed_at === null &&
          (row.until === null || Date.parse(row.until) > now()) &&
          (domain === undefined || row.domain === domain) &&
          (tenantId === undefined || row.tenant_id === null || row.tenant_id === tenantId),
      )
      .map(pauseOf)
      .sort((a, b) => (a.pausedAt < b.pausedAt ? 1 : -1)),
})

const NO_PROGRESS = {
  progress_of: null,
  handled_until: '',
  last_time: null,
  last_command_id: null,
  last_passed_over: null,
}

/** Schedules, and how far their times are handled. */
export const createMemorySchedules = ({ tables, now }: FlowQueriesDeps) => {
  const progress = new Map<string, ScheduleProgress>()

  const all = (): readonly StoredSchedule[] =>
    (tables.rows('command_bus_schedule') as unknown as readonly ScheduleRow[])
      .filter(({ status }) => (status as string) !== 'DELETED')
      .map(row => ({ ...storedOf({ ...row, ...NO_PROGRESS }), progress: progressOf(row) }))
  const progressOf = ({ name, incarnation }: ScheduleRow): ScheduleProgress | null => {
    const known = progress.get(name)
    return known?.incarnation === incarnation ? known : null
  }
  const find = async (name: string): Promise<StoredSchedule | null> => all().find(one => one.name === name) ?? null

  const queries: ScheduleQueries = {
    now: async () => now(),
    find,
    list: async ({ domain, limit = 100, cursor, ...scope }) => {
      const listed = all()
        .filter(({ facts }) => (domain === undefined || facts.domain === domain) && isWithin(scope, facts.tenantId))
        .filter(({ name }) => cursor === undefined || name > cursor)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const items = listed
        .slice(0, limit)
        .map(one => ({ ...one, facts: { ...one.facts, ...cutMember('data', one.facts.data) } }))
      return { items, nextCursor: listed.length > limit ? (items.at(-1)?.name ?? null) : null }
    },
    progress: async name => progress.get(name) ?? null,
  }

  const work: ScheduleWork = {
    now: queries.now,
    find,
    heads: async () =>
      all().flatMap(({ name, status, facts, progress: known }) =>
        status === 'ACTIVE'
          ? [{ name, revision: 0, after: Math.max(...[facts.countsAfter, known?.handledUntil ?? ''].map(timeOf)) }]
          : [],
      ),
    sent: async (domain, commandIds) =>
      new Map(
        commandIds.flatMap(commandId => {
          const row = tables.commands.get(commandStream({ domain, commandId }))
          return row === undefined ? [] : [[commandId, { ended: terminalStatuses.includes(row.status) }] as const]
        }),
      ),
    save: async (name, saved) => {
      const before = progress.get(name)
      const isOlder =
        before !== undefined &&
        (before.incarnation > saved.incarnation ||
          (before.incarnation === saved.incarnation && before.handledUntil >= saved.handledUntil))
      if (!isOlder) progress.set(name, saved)
    },
  }
  return { queries, work }
}

const timeOf = (instant: string): number => (instant === '' ? 0 : Date.parse(instant))
