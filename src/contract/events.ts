import * as t from 'io-ts'
import { object, uuid } from './codecs.ts'
import { BASE_PATH } from './route.ts'

/** Server-sent events; not a route of the typed client, because the response never ends. */
export const EVENTS_PATH = `${BASE_PATH}/events`

export const eventsQuery = object({}, { domain: t.string, commandId: uuid, run: uuid })

export const EVENTS_SUMMARY =
  'Events as they commit (server-sent events, each with a JSON object as its data); without Last-Event-ID, the stream starts now'
