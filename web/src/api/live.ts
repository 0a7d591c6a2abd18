import type { QueryClient } from '@tanstack/react-query'
import type { LiveEvent } from '../../../src/application/ports/reading/live-events.ts'
import { EVENTS_PATH } from '../../../src/contract/events.ts'
import { NoAnswerError, READ_MS, timedFetch } from './fetch.ts'
import { isOffline } from './problem.ts'
import { currentToken, refused } from './session.ts'
import { readFrames } from './sse.ts'

/**
 * `live`: changes arrive as they commit. `polling`: no stream now, so everything shown is reloaded every few seconds.
 * `paused`: no updates until the user resumes. `offline`: the server does not answer.
 */
export type LiveMode = 'connecting' | 'live' | 'polling' | 'paused' | 'offline'

export interface LiveState {
  readonly mode: LiveMode
  /** Events that came while paused. */
  readonly missed: number
  /** When something that is shown was last fetched; milliseconds since 1970. */
  readonly asOf: number | null
}

const FLUSH_MS = 700
/** A page waits this many times as long as its last load took, so that a slow server gets fewer requests. */
const SHARE = 3
const POLL_MS = 4_000
const SILENT_MS = 40_000
/** After so long without an event or a heartbeat, the page asks whether the server still answers. */
const QUIET_MS = 4_000
const WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000]

type Connection = Exclude<LiveMode, 'paused'>

export const createLive = (queries: QueryClient) => {
  const listeners = new Set<() => void>()
  let state: LiveState = { mode: 'connecting', missed: 0, asOf: null }
  let connection: Connection = 'connecting'
  let paused = false
  let dirty = new Set<string>()
  let everything = false
  let pace = FLUSH_MS
  let flushing: ReturnType<typeof setTimeout> | undefined

  const publish = (patch: Partial<LiveState> = {}): void => {
    const next = { ...state, ...patch, mode: paused ? 'paused' : connection } as const
    if (next.mode === state.mode && next.missed === state.missed && next.asOf === state.asOf) return
    state = next
    for (const listener of listeners) listener()
  }
  const connected = (now: Connection): void => {
    connection = now
    publish()
  }

  const flush = (): void => {
    flushing = undefined
    if (paused || (!everything && dirty.size === 0)) return
    const [all, changed] = [everything, dirty]
    everything = false
    dirty = new Set()
    const began = Date.now()
    const asked = queries.invalidateQueries({ predicate: ({ queryKey }) => all || concerns(queryKey, changed) })
    asked.then(() => {
      pace = Math.max(FLUSH_MS, SHARE * (Date.now() - began))
    })
  }
  const flushSoon = (): void => {
    flushing ??= setTimeout(flush, pace)
  }
  const refetchAll = (): void => {
    everything = true
    flushSoon()
  }

  const onEvent = ({ commandId }: LiveEvent): void => {
    if (commandId !== null) dirty.add(commandId)
    if (paused) publish({ missed: state.missed + 1 })
    else flushSoon()
  }

  /** Reads one stream until it ends; the result says whether to connect again. */
  const stream = async (after: { id: string | null }, signal: AbortSignal): Promise<'again' | 'refused'> => {
    const token = currentToken()
    const silent = new AbortController()
    let watch = setTimeout(() => silent.abort(new NoAnswerError()), READ_MS)
    let ask: ReturnType<typeof setTimeout> | undefined
    const heard = (): void => {
      clearTimeout(watch)
      clearTimeout(ask)
      watch = setTimeout(() => silent.abort(), SILENT_MS)
      ask = setTimeout(askAgain, QUIET_MS)
    }
    const askAgain = (): void => {
      stillAnswers(silent.signal).then(answers => {
        if (silent.signal.aborted) return
        if (!answers) return silent.abort(new NoAnswerError())
        clearTimeout(ask)
        ask = setTimeout(askAgain, QUIET_MS)
      })
    }
    try {
      const response = await fetch(EVENTS_PATH, {
        headers: { authorization: `Bearer ${token}`, ...(after.id === null ? {} : { 'last-event-id': after.id }) },
        signal: AbortSignal.any([signal, silent.signal]),
      })
      if (response.status === 401) refused(token)
      if (response.status === 401 || response.status === 403) return 'refused'
      if (!response.ok || response.body === null) {
        // a position that this server does not know, perhaps after its database was replaced
        if (response.status === 400) after.id = null
        connected('polling')
        return 'again'
      }
      if (connection !== 'live') refetchAll()
      connected('live')
      heard()
      for await (const { id, data } of readFrames(response.body)) {
        heard()
        if (id !== null) after.id = id
        if (data !== '') onEvent(JSON.parse(data) as LiveEvent)
      }
      connected('polling')
    } catch (error) {
      const why = silent.signal.aborted ? silent.signal.reason : error
      if (!signal.aborted) connected(isOffline(why) ? 'offline' : 'polling')
    } finally {
      clearTimeout(watch)
      clearTimeout(ask)
      silent.abort()
    }
    return 'again'
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    const after = { id: null as string | null }
    for (let failures = 0; !signal.aborted; failures++) {
      if (document.hidden) await once(document, 'visibilitychange', signal)
      const began = Date.now()
      const hidden = new AbortController()
      const onHidden = () => document.hidden && hidden.abort()
      document.addEventListener('visibilitychange', onHidden)
      const end = await stream(after, AbortSignal.any([signal, hidden.signal]))
      document.removeEventListener('visibilitychange', onHidden)
      if (end === 'refused') return connected('polling')
      if (hidden.signal.aborted || Date.now() - began > 10_000) failures = 0
      if (!hidden.signal.aborted) await wait(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 1_000, signal)
    }
  }

  return {
    get: (): LiveState => state,
    subscribe: (listener: () => void): (() => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    togglePause: (): void => {
      paused = !paused
      if (!paused) refetchAll()
      publish({ missed: 0 })
    },
    /** Begins to listen; the returned function stops it. */
    start: (): (() => void) => {
      const stop = new AbortController()
      void run(stop.signal)
      const poll = setInterval(() => {
        if (!paused && connection !== 'live' && !document.hidden) refetchAll()
      }, POLL_MS)
      const unwatch = queries.getQueryCache().subscribe(event => {
        if (event.type !== 'updated' || event.action.type !== 'success') return
        // it answers again, at least to this
        if (connection === 'offline') connected('polling')
        publish({ asOf: Date.now() })
      })
      return () => {
        stop.abort()
        clearInterval(poll)
        clearTimeout(flushing)
        flushing = undefined
        unwatch()
      }
    },
  }
}

export type Live = ReturnType<typeof createLive>

/** Asks the process itself, which answers at once unless it hangs. */
const stillAnswers = (signal: AbortSignal): Promise<boolean> =>
  timedFetch('/health/live', { signal }, QUIET_MS).then(
    () => true,
    error => !isOffline(error),
  )

/** Queries of one thing name its id last; lists concern every change. */
const concerns = (key: readonly unknown[], changed: ReadonlySet<string>): boolean => {
  const id = key[key.length - 1]
  if (key[0] === 'command' || key[0] === 'operation' || key[0] === 'run') return changed.has(String(id))
  return key[0] !== 'server'
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

const once = (target: EventTarget, type: string, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    target.addEventListener(type, () => resolve(), { once: true, signal })
    signal.addEventListener('abort', () => resolve())
  })
