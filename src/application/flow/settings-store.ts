import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { BusEvent } from '../../domain/bus-event.ts'
import { type Decider, fold } from '../../domain/decider.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, StreamAppend } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import type { SettingsLog } from '../ports/reading/settings-log.ts'
import { appendOf, createTogether, type Loaded } from '../shared/transact.ts'

/** One kind of setting: a small aggregate whose streams are named `<prefix><id>`. */
export interface SettingKind<State, Intent, Event extends BusEvent, Rejection> {
  /** What its events are of; stands where the events of commands have the command's type. */
  readonly name: string
  readonly prefix: string
  readonly decider: Decider<State, Intent, Event, Rejection>
  /** The tenant that it belongs to, after its first event. */
  readonly tenantOf: (state: State) => string | null
}

/** A setting after a change; `changed` is false if it was so already. */
export interface Changed<State> {
  readonly state: State
  readonly changed: boolean
}

export interface SettingsDeps {
  readonly store: EventStore<BusEvent>
  readonly log: SettingsLog
  readonly ids: Ids
  readonly clock: Clock
  /** Waits until the rows of an event are written, where they follow the log; missing: they are written with it. */
  readonly written?: (event: { readonly stream: string; readonly revision: number }) => Promise<unknown>
}

/** Settings in the log: a change is decided on the setting's own stream, so that of two at once one is decided again. */
export const createSettings = ({ store, log, ids, clock, written }: SettingsDeps) => {
  const together = createTogether(store, clock)

  const load = async <State, Event extends BusEvent>(
    kind: Pick<SettingKind<State, never, Event, unknown>, 'prefix' | 'decider'>,
    id: string,
  ): Promise<Loaded<State>> => {
    const events = await store.readStream(kind.prefix + id)
    const state = fold(
      kind.decider,
      events.map(({ event }) => event as Event),
    )
    return { state, revision: events.length - 1 }
  }

  /** The append of a change, to be made alone or together with others. */
  const appendsOf = <State, Event extends BusEvent>(
    kind: SettingKind<State, never, Event, unknown>,
    id: string,
    { state, revision }: Loaded<State>,
    events: readonly Event[],
  ): readonly StreamAppend<BusEvent>[] => {
    if (events.length === 0) return []
    const context = {
      commandType: kind.name,
      correlationId: id.slice(0, 128),
      causationId: null,
      replyTo: null,
      tenantId: kind.tenantOf(fold(kind.decider, events, state)),
    }
    return [appendOf<BusEvent>(kind.prefix + id, { revision }, events, context, ids)]
  }

  return {
    together,
    load,
    appendsOf,

    /**
     * Decides an intent and appends what it causes. `guard` may refuse before the decision, by an error that it throws.
     * @throws ContentionError
     */
    change: async <State, Intent, Event extends BusEvent, Rejection>(
      kind: SettingKind<State, Intent, Event, Rejection>,
      id: string,
      intent: Intent,
      guard: (state: State) => void = () => {},
    ): Promise<Either<Rejection, Changed<State>>> => {
      let last: { readonly stream: string; readonly revision: number } | null = null
      const outcome = await together<Either<Rejection, Changed<State>>>(async () => {
        const loaded = await load(kind, id)
        guard(loaded.state)
        const decided = kind.decider.decide(intent, loaded.state)
        if (isLeft(decided)) return { appends: [], answer: decided }
        const events = decided.right
        const revision = loaded.revision + events.length
        last = revision < 0 ? null : { stream: kind.prefix + id, revision }
        return {
          appends: appendsOf(kind, id, loaded, events),
          answer: right({ state: fold(kind.decider, events, loaded.state), changed: events.length > 0 }),
        }
      })
      if (last !== null) await written?.(last)
      return outcome
    },

    /** Every setting of a kind as it was at an instant (ISO 8601), by its id: folded from the log. */
    at: async <State, Event extends BusEvent>(
      kind: Pick<SettingKind<State, never, Event, unknown>, 'prefix' | 'decider'>,
      instant: string,
    ): Promise<ReadonlyMap<string, State>> => {
      const states = new Map<string, State>()
      for (const { stream, event } of await log.until(kind.prefix, instant)) {
        const id = stream.slice(kind.prefix.length)
        states.set(id, kind.decider.evolve(states.get(id) ?? kind.decider.initial, event as Event))
      }
      return states
    },
  }
}

export type Settings = ReturnType<typeof createSettings>
