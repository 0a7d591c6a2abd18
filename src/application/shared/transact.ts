import { isLeft, left } from 'fp-ts/lib/Either.js'
import { type Decider, decideAll, fold } from '../../domain/decider.ts'
import type { EventContext } from '../../domain/recorded.ts'
import type { Clock } from '../ports/clock.ts'
import type { AppendOptions, EventStore, StreamAppend } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { ContentionError, HeldError } from './errors.ts'

/** The state of a stream, and the revision of its last event (-1: it does not exist). */
export interface Loaded<State> {
  readonly state: State
  readonly revision: number
}

/** A turn of one aggregate: its intents are decided one after the other, and their events are appended together. */
export interface Turn<State, Intent, Rejection = never> {
  readonly stream: string
  readonly intents: readonly Intent[]
  /** The state, if the caller has just loaded it; after a conflict it is loaded again. */
  readonly known?: Loaded<State>
  /** Checks the state before the decision and may refuse, for what the caller may not change. */
  readonly guard?: (state: State, revision: number) => Rejection | null
  /** About how many bytes a statement needs for its events, where these can be large. */
  readonly bytes?: number
  /** The id of its first event, for callers that must recognise it later. Default: a new one. */
  readonly firstId?: string
}

export type TurnOutcome<State, Event, Rejection> =
  /** `events` is empty if nothing had to change. */
  | {
      readonly outcome: 'done'
      readonly events: readonly Event[]
      readonly now: Loaded<State>
      readonly msgId: string | null
    }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection; readonly now: Loaded<State> }

export interface TransactDeps<State, Intent, Event, Rejection> {
  readonly decider: Decider<State, Intent, Event, Rejection>
  readonly store: EventStore<Event>
  readonly ids: Ids
  readonly contextOf: (state: State) => EventContext
}

export interface TransactOptions<State, Event, Rejection> extends AppendOptions {
  /** Called as soon as a turn's outcome is known, for callers that need it even if a later statement fails. */
  readonly onOutcome?: (turn: number, outcome: TurnOutcome<State, Event, Rejection>) => void
}

export type Transact<State, Intent, Event, Rejection> = (
  turns: readonly Turn<State, Intent, Rejection>[],
  options?: TransactOptions<State, Event, Rejection>,
) => Promise<readonly TurnOutcome<State, Event, Rejection>[]>

/** Twenty operators who write about one command at the same time each get a turn. */
const MAX_ROUNDS = 24

/**
 * The load -> decide -> append loop for independent turns (`createTogether` is for several streams at once).
 * Many turns cost one load and one append in each round. After a conflict a turn is loaded and decided again, a limited
 * number of times. Turns on one stream run in order.
 *
 * @throws ContentionError when a turn has a conflict in every round; only with `brief`: HeldError when all other turns are
 * done and reported, but an open transaction has locked what the rest need
 */
export const createTransact =
  <State, Intent, Event, Rejection>({
    decider,
    store,
    ids,
    contextOf,
  }: TransactDeps<State, Intent, Event, Rejection>): Transact<State, Intent, Event, Rejection> =>
  async (turns, options) => {
    type Outcome = TurnOutcome<State, Event, Rejection>
    const outcomes = new Array<Outcome | undefined>(turns.length)
    const settle = (index: number, outcome: Outcome): void => {
      outcomes[index] = outcome
      options?.onOutcome?.(index, outcome)
    }
    /** What was read or appended here, by stream; null: it has to be read again. */
    const known = new Map<string, Loaded<State> | null>()
    const stateOf = ({ stream, known: given }: Turn<State, Intent, Rejection>): Loaded<State> | null | undefined => {
      const found = known.get(stream)
      return found === undefined ? given : found
    }
    let lost = 0
    let held: string | null = null

    for (let open = turns.map((_, i) => i); open.length > 0; ) {
      if (lost >= MAX_ROUNDS) throw new ContentionError(turns[open[0] as number]?.stream ?? '')
      const missing = new Set<string>()
      for (const index of open) {
        const turn = turns[index] as Turn<State, Intent, Rejection>
        if (stateOf(turn) == null) missing.add(turn.stream)
      }
      await load(store, decider, missing, known, options)

      const appends: StreamAppend<Event>[] = []
      const waiting: { readonly index: number; readonly events: readonly Event[]; readonly state: State }[] = []
      const taken = new Set<string>()
      const later: number[] = []
      const behind = new Set<string>()
      for (const index of open) {
        const turn = turns[index] as Turn<State, Intent, Rejection>
        const before = stateOf(turn) as Loaded<State>
        if (taken.has(turn.stream)) {
          later.push(index)
          continue
        }
        const refused = turn.guard?.(before.state, before.revision) ?? null
        const decided = refused === null ? decideAll(decider, turn.intents, before.state) : left(refused)
        if (isLeft(decided)) {
          settle(index, { outcome: 'rejected', rejection: decided.left, now: before })
          continue
        }
        const { events, state } = decided.right
        if (events.length === 0) {
          settle(index, { outcome: 'done', events: [], now: before, msgId: null })
        } else {
          taken.add(turn.stream)
          appends.push(appendOf(turn.stream, before, events, contextOf(state), ids, turn.firstId))
          waiting.push({ index, events, state })
        }
      }

      const results = appends.length === 0 ? [] : await store.append(appends, options)
      let conflicts = 0
      results.forEach((result, i) => {
        const { index, events, state } = waiting[i] as (typeof waiting)[number]
        if (result.outcome === 'appended') {
          const now = { state, revision: result.revision }
          // for another turn of this stream, which is among the later ones by now
          if (later.length > 0) known.set(result.stream, now)
          settle(index, { outcome: 'done', events, now, msgId: result.msgId })
        } else if (result.outcome === 'held') {
          held = result.stream
          behind.add(result.stream)
        } else {
          conflicts++
          known.set(result.stream, null)
          later.push(index)
        }
      })
      if (conflicts > 0) lost++
      // turns on one stream keep their order
      open = later.filter(index => !behind.has(turns[index]?.stream ?? '')).sort((a, b) => a - b)
    }
    if (held !== null) throw new HeldError(`stream ${held}`)
    return outcomes as Outcome[]
  }

/** An append that succeeds only if the stream has not changed since it was loaded. */
export const appendOf = <Event>(
  stream: string,
  { revision }: Pick<Loaded<unknown>, 'revision'>,
  events: readonly Event[],
  context: EventContext,
  ids: Ids,
  firstId = ids.next(),
): StreamAppend<Event> => ({
  stream,
  expected: revision < 0 ? 'none' : revision,
  events: events.map((event, i) => ({ id: i === 0 ? firstId : ids.next(), event, context })),
})

const load = async <State, Event>(
  store: EventStore<Event>,
  decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>,
  streams: ReadonlySet<string>,
  known: Map<string, Loaded<State> | null>,
  options: AppendOptions | undefined,
): Promise<void> => {
  if (streams.size === 0) return
  const found = await store.readStreams([...streams], options)
  for (const stream of streams) {
    const events = (found.get(stream) ?? []).map(({ event }) => event)
    known.set(stream, { state: fold(decider, events), revision: events.length - 1 })
  }
}

/** The result of an attempt: the appends to make together, and the answer to return after them. */
export interface Attempt<Event, A> {
  readonly appends: readonly StreamAppend<Event>[]
  readonly answer: A
}

/** Conflicts are common when users of one tenant act at the same time, and harmless: each gets a turn. */
const MAX_TRIES = 24
const LONGEST_PAUSE_MS = 40

/**
 * Loads, decides and appends all of an attempt's appends or none; after a conflict it tries again. Several streams in one
 * attempt need a store with `atomicAppend`.
 * @throws ContentionError
 */
export const createTogether =
  <Event>(store: Pick<EventStore<Event>, 'append' | 'appendAll'>, clock: Pick<Clock, 'random'>) =>
  async <A>(attempt: () => Promise<Attempt<Event, A>>): Promise<A> => {
    for (let tries = 1; ; tries++) {
      const { appends, answer } = await attempt()
      if (appends.length === 0) return answer
      const results = await (appends.length === 1 ? store.append(appends) : store.appendAll(appends))
      if (results.every(({ outcome }) => outcome === 'appended')) return answer
      if (tries === MAX_TRIES) throw new ContentionError(appends[0]?.stream ?? '')
      await wait(clock.random() * Math.min(LONGEST_PAUSE_MS, 2 ** tries))
    }
  }

const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
