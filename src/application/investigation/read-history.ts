import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { type CommandSnapshot, historyOf } from '../../domain/command/history.ts'
import { commandStream, parseCommandStream } from '../../domain/command/names.ts'
import { type Moment, type Step, snapshotDiff, stepsAt } from '../../domain/history.ts'
import type { Change } from '../../domain/json/json-diff.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { EventStore } from '../ports/event-store.ts'
import { CommandNotFoundError, InvalidInputError } from '../shared/errors.ts'
import { commandIdOf, domainOf, instantOf, optional } from '../shared/input.ts'
import { isWithin, scopedTenantOf } from '../shared/scope.ts'

/** A moment is a revision (0 is the first event) or an ISO 8601 instant. */
export interface HistoryOptions {
  /** Up to and including this moment. */
  readonly at?: number | string | undefined
  /** With `to`: the events after `from`, up to and including `to`, and how the two states differ. */
  readonly from?: number | string | undefined
  readonly to?: number | string | undefined
  /** Only this tenant's commands; others count as unknown. */
  readonly tenantId?: string | undefined
}

/** The state at a moment; null before the first event. */
export interface MomentView<Snapshot = CommandSnapshot> {
  readonly moment: Moment
  /** The last event's revision at that moment. */
  readonly revision: number | null
  readonly state: Snapshot | null
}

/** Two moments of one history, and what changed between them. */
export interface Comparison<Snapshot = CommandSnapshot> {
  readonly from: MomentView<Snapshot>
  readonly to: MomentView<Snapshot>
  readonly diff: readonly Change[]
}

export interface HistorySelection<Event, Snapshot> {
  /** Oldest first: all events, those up to `at`, or those between `from` and `to`. */
  readonly items: readonly Step<Event, Snapshot>[]
  /** The state at `at`, or now. Null: before the first event. */
  readonly state: Snapshot | null
  readonly comparison: Comparison<Snapshot> | null
}

/** The events of a command, with its state after each. */
export interface CommandHistory extends HistorySelection<CommandEvent, CommandSnapshot> {
  readonly domain: string
  readonly commandId: string
}

type ReadHistory = (domain: string, commandId: string, options?: HistoryOptions) => Promise<CommandHistory>

/** @throws CommandNotFoundError, InvalidInputError */
export const readHistory =
  (store: Pick<EventStore<CommandEvent>, 'readStream'>): ReadHistory =>
  async (domain, commandId, options = {}) => {
    const key = { domain: domainOf(domain), commandId: commandIdOf(commandId) }
    const moments = momentsOf(options)
    const tenantId = optional(options.tenantId, scopedTenantOf)
    const events = await store.readStream(commandStream(key), 0, { recordedOnly: true })
    const isTheirs = tenantId === null || isWithin({ tenantId }, events[0]?.context.tenantId ?? null)
    if (events.length === 0 || !isTheirs) throw new CommandNotFoundError(key.domain, key.commandId)
    return replayed(key, events, moments)
  }

/**
 * The history of one command from its recorded events, from a log or a file. `events` must be all of the command's events
 * in order, from revision 0. @throws InvalidInputError
 */
export const replayEvents = (
  events: readonly Recorded<CommandEvent>[],
  options: Omit<HistoryOptions, 'tenantId'> = {},
): CommandHistory => {
  const [first] = events
  const key = first === undefined ? null : parseCommandStream(first.stream)
  if (key === null) throw new InvalidInputError('events', 'must be the events of one command, from its first')
  return replayed(key, events, momentsOf(options))
}

export interface Moments {
  readonly at: Moment | null
  readonly from: Moment | null
  readonly to: Moment | null
}

const replayed = (key: CommandKey, events: readonly Recorded<CommandEvent>[], moments: Moments): CommandHistory => ({
  ...key,
  ...selectHistory(historyOf(events), moments),
})

/** The part of a history that the caller asked for. @throws InvalidInputError for a revision that has not happened */
export const selectHistory = <Event, Snapshot extends object>(
  steps: readonly Step<Event, Snapshot>[],
  { at, from, to }: Moments,
): HistorySelection<Event, Snapshot> => {
  const last = steps.at(-1)?.revision ?? -1
  for (const [name, moment] of Object.entries({ at, from, to })) refuseLater(name, moment, last)
  if (from === null || to === null) {
    const items = at === null ? steps : stepsAt(steps, at)
    return { items, state: items.at(-1)?.state ?? null, comparison: null }
  }
  const [before, after] = [stepsAt(steps, from), stepsAt(steps, to)]
  const [was, is] = [toMomentView(from, before), toMomentView(to, after)]
  return {
    items: after.slice(before.length),
    state: is.state,
    comparison: { from: was, to: is, diff: snapshotDiff(was.state, is.state) },
  }
}

const toMomentView = <Snapshot>(moment: Moment, steps: readonly Step<unknown, Snapshot>[]): MomentView<Snapshot> => {
  const last = steps.at(-1)
  return { moment, revision: last?.revision ?? null, state: last?.state ?? null }
}

/** @throws InvalidInputError */
export const momentsOf = ({ at, from, to }: Omit<HistoryOptions, 'tenantId'>): Moments => {
  const moments = {
    at: optional(at, value => momentOf(value, 'at')),
    from: optional(from, value => momentOf(value, 'from')),
    to: optional(to, value => momentOf(value, 'to')),
  }
  if ((moments.from === null) !== (moments.to === null)) {
    throw new InvalidInputError('from, to', 'give both, to compare two moments; or `at` for one')
  }
  if (moments.at !== null && moments.from !== null) {
    throw new InvalidInputError(
      'at',
      'cannot be combined with from and to: at shows one moment, from and to compare two',
    )
  }
  return moments
}

/** A revision or an instant. @throws InvalidInputError */
export const momentOf = (value: unknown, field: string): Moment => {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (number instanceof Date || (typeof number === 'string' && LIKE_A_DATE.test(number)))
    return instantOf(number, field)
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > MAX_REVISION) {
    throw new InvalidInputError(field, 'must be a revision (0 is the first event) or an ISO 8601 date or time')
  }
  return number
}

const LIKE_A_DATE = /^\d{4}-/
const MAX_REVISION = 999_999_999

/** Refuses a revision that does not exist yet; an instant in the future means now. */
const refuseLater = (name: string, moment: Moment | null, last: number): void => {
  if (typeof moment === 'number' && moment > last) {
    throw new InvalidInputError(name, `revision ${moment} has not happened yet: the last one is ${last}`)
  }
}
