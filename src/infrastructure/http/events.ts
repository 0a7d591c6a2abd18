import { setMaxListeners } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../application/caller.ts'
import type { Identity } from '../../application/ports/authorization.ts'
import { resumeAfter, writeEvents } from '../live/sse.ts'
import { EVENTS_PATH, eventsQuery } from './contract/events.ts'
import type { Identify } from './identity.ts'
import { checkPart } from './mount.ts'

/**
 * `GET /events`: events as they commit, as server-sent events. `Last-Event-ID` goes on after that one; without it the
 * stream starts now. Ends with the server: clients connect again and resume.
 */
export const addEvents = (
  app: FastifyInstance,
  { identify, callerOf }: { readonly identify: Identify; readonly callerOf: (identity: Identity) => Caller },
): void => {
  const closing = new AbortController()
  // one signal ends all streams, and each of them listens
  setMaxListeners(0, closing.signal)
  app.addHook('preClose', async () => closing.abort())
  app.get(EVENTS_PATH, async (request, reply) => {
    const caller = callerOf(await identify(request.headers.authorization))
    const filter = checkPart('query', eventsQuery, request.query)
    const after = resumeAfter(request.headers['last-event-id'])
    const subscription = await caller.live({ after, filter, signal: closing.signal })
    reply.hijack()
    const set = reply.getHeaders()
    const headers = Object.fromEntries(Object.entries(set).map(([name, value]) => [name, String(value)]))
    const { reason, error } = await writeEvents(reply.raw, subscription, { headers, signal: closing.signal })
    if (reason === 'failed') request.log.warn({ err: error }, 'a stream of events ended early')
  })
}
