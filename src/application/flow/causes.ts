import { isLeft } from 'fp-ts/lib/Either.js'
import type { BusEvent } from '../../domain/bus-event.ts'
import { MAX_ASSIGNEE, MAX_NOTE } from '../../domain/command/actions/care-actions.ts'
import { type CauseIntent, type CauseState, cause } from '../../domain/flow/cause/cause.ts'
import type { CauseEvent, CauseKey } from '../../domain/flow/cause/events.ts'
import { causeStream } from '../../domain/flow/cause/names.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { CauseQueries } from '../ports/reading/flow-queries.ts'
import { commandTypeOf, domainOf, instantAhead, optional, textOf } from '../shared/input.ts'
import { assigneeOf, tagsOf } from '../troubleshooting/action-details.ts'
import type { SettingKind, Settings } from './settings-store.ts'

/** Why commands are parked, and who writes about it. */
export interface CauseOptions extends CauseKey {
  /** Who does it, for the record. Default `operator`. */
  readonly operator?: string
}

/** What operators have written down about a cause. Times are ISO 8601. */
export interface Cause extends CauseKey {
  /** Who takes care of it; null: nobody. */
  readonly assignee: string | null
  readonly tags: readonly string[]
  /** Until then its commands are left out of counts and alerts; null, or a time that has passed: they count. */
  readonly investigatedUntil: string | null
  readonly investigatedBy: string | null
  readonly investigationReason: string | null
  /** Newest first, the last 100. */
  readonly notes: readonly { readonly at: string; readonly operator: string; readonly text: string }[]
}

/** Conditions that hold together; none means every cause. */
export type CauseFilter = Partial<CauseKey>

export interface CausesDeps {
  readonly settings: Settings
  readonly store: Pick<EventStore<BusEvent>, 'readStream' | 'readStreams'>
  readonly queries: CauseQueries
  readonly clock: Clock
  readonly derivedId: (text: string) => string
}

const MOST_NOTES = 100
/** The most characters of an error code that a worker keeps. */
const MAX_CODE = 200

const causeKind: SettingKind<CauseState, CauseIntent, CauseEvent, never> = {
  name: 'Cause',
  prefix: causeStream(''),
  decider: cause,
  tenantOf: () => null,
}

/** What operators write down about causes: parked commands of one domain, type and error code. It is for all tenants. */
export const createCauses = ({ settings, store, queries, clock, derivedId }: CausesDeps) => {
  const idOf = ({ domain, commandType, errorCode }: CauseKey) =>
    derivedId(JSON.stringify(['cause', domain, commandType, errorCode]))

  const get = async (given: CauseKey): Promise<Cause> => {
    const key = keyOf(given)
    return viewOf(key, await store.readStream(causeStream(idOf(key))))
  }

  const viewOf = (key: CauseKey, recorded: readonly Recorded<BusEvent>[]): Cause => {
    const events = recorded.map(({ event }) => event as CauseEvent)
    const { assignee, tags, investigation } = events.reduce(cause.evolve, cause.initial)
    return {
      ...key,
      assignee,
      tags,
      investigatedUntil: investigation?.until ?? null,
      investigatedBy: investigation?.actor ?? null,
      investigationReason: investigation?.reason ?? null,
      notes: events
        .flatMap(event => (event.type === 'CauseNoted' ? [event] : []))
        .slice(-MOST_NOTES)
        .map(({ at, actor, text }) => ({ at, operator: actor, text }))
        .toReversed(),
    }
  }

  const change = async (options: CauseOptions, intentOf: (at: string) => Own): Promise<Cause> => {
    const key = keyOf(options)
    const at = clock.now().toISOString()
    const actor = optional(options.operator, value => textOf(value, 'operator', 200)) ?? 'operator'
    const outcome = await settings.change(causeKind, idOf(key), { ...intentOf(at), ...key, at, actor })
    // a cause refuses nothing
    if (isLeft(outcome)) throw outcome.left
    return get(key)
  }

  return {
    /** The causes about which something was written down, the last 100 that changed. @throws InvalidInputError */
    list: async (filter: CauseFilter = {}): Promise<readonly Cause[]> => {
      const { domain, commandType, errorCode } = filter
      const found = await queries.find({
        domain: optional(domain, domainOf),
        commandType: optional(commandType, commandTypeOf),
        errorCode: optional(errorCode, value => textOf(value, 'errorCode', MAX_CODE)),
      })
      const streams = await store.readStreams(found.map(key => causeStream(idOf(key))))
      return found.map(key => viewOf(key, streams.get(causeStream(idOf(key))) ?? []))
    },
    /** What is written down about a cause; one that nobody has written about is empty. @throws InvalidInputError */
    get,
    /** Adds a note, up to 2,000 characters. @throws InvalidInputError */
    note: (options: CauseOptions & { readonly text: string }): Promise<Cause> =>
      change(options, () => ({ type: 'Note', text: textOf(options.text, 'text', MAX_NOTE) })),
    /** Says who takes care of it; null: nobody. @throws InvalidInputError */
    assign: (options: CauseOptions & { readonly assignee: string | null }): Promise<Cause> =>
      change(options, () => ({ type: 'Assign', assignee: assigneeOf(options.assignee, 'assignee', MAX_ASSIGNEE) })),
    /** Replaces its tags: up to 20 of 50 characters, without commas. @throws InvalidInputError */
    tag: (options: CauseOptions & { readonly tags: readonly string[] }): Promise<Cause> =>
      change(options, () => ({ type: 'Tag', tags: tagsOf(options.tags, 'tags') })),
    /**
     * Leaves the parked commands of the cause out of counts and alerts until an instant (ISO 8601, at most a year from now),
     * those that park meanwhile too; they stay in the lists. Null ends that. @throws InvalidInputError
     */
    investigate: (
      options: CauseOptions & { readonly until: string | null; readonly reason?: string },
    ): Promise<Cause> =>
      change(options, at => ({
        type: 'Investigate',
        until: options.until === null ? null : instantAhead(options.until, 'until', at),
        reason: optional(options.reason, value => textOf(value, 'reason')),
      })),
  }
}

export type Causes = ReturnType<typeof createCauses>

/** An intent without what all of them have. */
type Own = CauseIntent extends infer I
  ? I extends CauseIntent
    ? Omit<I, keyof CauseKey | 'at' | 'actor'>
    : never
  : never

const keyOf = ({ domain, commandType, errorCode }: CauseKey): CauseKey => ({
  domain: domainOf(domain),
  commandType: commandTypeOf(commandType),
  errorCode: textOf(errorCode, 'errorCode', MAX_CODE),
})
