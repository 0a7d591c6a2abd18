import { setMaxListeners } from 'node:events'
import type { FastifyInstance } from 'fastify'
import { EVENTS_PATH, eventsQuery } from '../../../contract/events.ts'
import { resumeAfter, writeEvents } from '../../live/sse.ts'
import { type Count, placesPerToken } from '../requests/limits.ts'
import { checkPart, type MountOptions } from '../requests/mount.ts'

/** The longest delay of a timer; a stream that lasts longer ends then, and is resumed. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * `GET /events`: events as they commit, as server-sent events. `Last-Event-ID` resumes after that event; without it the
 * stream starts now. It ends when the server stops and when the token expires: clients connect again and resume.
 */
export const addEvents = (
  app: FastifyInstance,
  { identify, callerOf, liveReadersPerToken: most }: MountOptions,
  countRead: Count,
): void => {
  const takePlace = placesPerToken(
    most,
    `this token has ${most} live event streams open, which is the most allowed: close one, or use a separate token for each program`,
  )
  const closing = new AbortController()
  // one signal ends all streams, and each of them listens
  setMaxListeners(0, closing.signal)
  app.addHook('preClose', async () => closing.abort())
  app.get(EVENTS_PATH, async (request, reply) => {
    const identity = await identify(request.headers.authorization)
    const caller = callerOf(identity)
    const filter = checkPart('query', eventsQuery, request.query)
    const after = resumeAfter(request.headers['last-event-id'])
    await countRead(request, reply)
    const leavePlace = takePlace(request)
    const end = new AbortController()
    const stop = (): void => end.abort()
    closing.signal.addEventListener('abort', stop, { signal: end.signal })
    // the server may have begun to stop before this request listened
    if (closing.signal.aborted) stop()
    const expiry = setTimeout(stop, Math.min(identity.validUntil - Date.now(), LONGEST_MS))
    try {
      const subscription = await caller.live({ after, filter, signal: end.signal })
      reply.hijack()
      const set = reply.getHeaders()
      const headers = Object.fromEntries(Object.entries(set).map(([name, value]) => [name, String(value)]))
      const { reason, error } = await writeEvents(reply.raw, subscription, { headers, signal: end.signal })
      if (reason === 'failed') request.log.warn({ err: error }, 'a stream of events ended early')
      // otherwise the stop waits for this kept-alive connection
      if (closing.signal.aborted) request.raw.socket.destroySoon()
    } finally {
      clearTimeout(expiry)
      leavePlace()
      stop()
    }
  })
}
