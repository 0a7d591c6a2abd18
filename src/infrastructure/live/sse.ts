import { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent, Subscription } from '../../application/ports/reading/live-events.ts'
import { InvalidInputError } from '../../application/shared/errors.ts'
import { plainJson } from '../../domain/visible-text.ts'

export interface SseOptions {
  /** A comment is sent after this long without an event, in milliseconds. Default 15,000. */
  readonly heartbeatMs?: number
  /** A client that takes nothing for this long is cut off, in milliseconds. Default 20,000. */
  readonly stalledMs?: number
  /** How long a client should wait before it connects again, in milliseconds. Default 2000. */
  readonly retryMs?: number
  /** Further headers of the response. */
  readonly headers?: { readonly [name: string]: string }
  /** Ends the stream. */
  readonly signal?: AbortSignal
}

export interface SseEnd {
  /** `closed`: by either side, in order; `slow`: the client took nothing for too long; `failed`: see `error`. */
  readonly reason: 'closed' | 'slow' | 'failed'
  readonly sent: number
  readonly error?: unknown
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  connection: 'keep-alive',
} as const

/** The position to go on from, of a client's `Last-Event-ID`. @throws InvalidInputError */
export const resumeAfter = (lastEventId: string | readonly string[] | undefined): FeedPosition | 'now' => {
  if (lastEventId === undefined || lastEventId === '') return 'now'
  if (typeof lastEventId === 'string' && /^\d{1,20}\/\d{1,20}$/.test(lastEventId)) return lastEventId
  throw new InvalidInputError(
    'Last-Event-ID',
    'not a valid id of an event: send the last id unchanged, or leave it out',
  )
}

/**
 * Writes a subscription as server-sent events until one side ends: `id` is the position, `data` the event as JSON. An id is
 * sent before the first event and with each heartbeat, so that a client can resume even if it never saw an event. Waits for
 * slow clients up to `stalledMs`. Ends `out` and the subscription; never rejects.
 */
export const writeEvents = async (
  out: Writable,
  subscription: Subscription,
  { heartbeatMs = 15_000, stalledMs = 20_000, retryMs = 2000, headers = {}, signal }: SseOptions = {},
): Promise<SseEnd> => {
  let sent = 0
  let draining = false
  const close = subscription.close
  out.on('close', close)
  out.on('error', close)
  signal?.addEventListener('abort', close)
  if (signal?.aborted || out.destroyed) close()

  const heartbeat = setInterval(() => {
    if (!draining) out.write(`: still here\nid: ${subscription.reached()}\n\n`)
  }, heartbeatMs)
  heartbeat.unref()

  /** False: the client takes nothing. */
  const write = async (text: string): Promise<boolean> => {
    if (out.write(text) || out.destroyed) return true
    draining = true
    const drained = await takesAgain(out, stalledMs, signal)
    draining = false
    return drained
  }

  const stream = async (): Promise<SseEnd> => {
    if (out instanceof ServerResponse && !out.headersSent) out.writeHead(200, { ...headers, ...HEADERS })
    await write(`retry: ${retryMs}\nid: ${subscription.reached()}\n\n`)
    for await (const event of subscription) {
      sent++
      if (!(await write(frameOf(event)))) {
        out.destroy()
        return { reason: 'slow', sent }
      }
      if (out.destroyed) break
    }
    return { reason: 'closed', sent }
  }

  try {
    return await stream()
  } catch (error) {
    return { reason: 'failed', sent, error }
  } finally {
    clearInterval(heartbeat)
    signal?.removeEventListener('abort', close)
    close()
    endWithin(out, stalledMs)
  }
}

/** Of type `message`, which every client listens to; the event's own type is in `data`. */
const frameOf = (event: LiveEvent): string =>
  `id: ${event.position}\nevent: message\ndata: ${plainJson(JSON.stringify(event))}\n\n`

/** Resolves true at the next drain, at the end of the stream and at an abort; false when none comes in time. */
const takesAgain = (out: Writable, ms: number, signal: AbortSignal | undefined): Promise<boolean> =>
  new Promise(resolve => {
    const end = (taken: boolean) => (): void => {
      clearTimeout(timer)
      out.off('drain', drained)
      out.off('close', drained)
      signal?.removeEventListener('abort', drained)
      resolve(taken)
    }
    const drained = end(true)
    const timer = setTimeout(end(false), ms)
    out.on('drain', drained)
    out.on('close', drained)
    signal?.addEventListener('abort', drained)
  })

/** Lets written data go out, for a limited time. */
const endWithin = (out: Writable, ms: number): void => {
  if (out.destroyed) return
  const cut = setTimeout(() => out.destroy(), ms)
  cut.unref()
  out.on('close', () => clearTimeout(cut))
  out.end()
}
