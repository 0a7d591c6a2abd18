import * as t from 'io-ts'
import { alertKinds } from '../../application/ports/alerting/alert-store.ts'
import { instant, integerFrom, nullable, object, wordOf } from '../codecs.ts'
import { none, paging } from '../commands.ts'
import { route } from '../route.ts'

const kind = wordOf(alertKinds)
const hours = { from: t.string, to: t.string, timeZone: t.string }

const alert = t.type({
  name: t.string,
  url: t.string,
  on: t.readonlyArray(kind),
  quiet: nullable(t.type(hours)),
  digestMinutes: nullable(t.number),
  setBy: t.string,
  setAt: instant,
  lastSentAt: nullable(instant),
  waiting: t.number,
  givenUp: t.number,
  lastError: nullable(t.string),
})

const delivery = t.type({
  id: t.string,
  test: t.boolean,
  status: wordOf(['PENDING', 'SENT', 'FAILED', 'GIVEN_UP']),
  text: t.string,
  attempts: t.number,
  createdAt: instant,
  nextAttemptAt: nullable(instant),
  endedAt: nullable(instant),
  lastError: nullable(t.string),
})

const one = {
  tag: 'Alerts',
  permission: 'operate',
  params: object({ name: t.string }),
  query: none,
  problems: ['ALERT_NOT_FOUND'],
} as const

export const alertRoutes = {
  listAlerts: route({
    method: 'GET',
    path: '/alerts',
    summary: 'The webhooks that tell when something is wrong, by name, without their secrets',
    tag: 'Alerts',
    permission: 'operate',
    params: none,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ items: t.readonlyArray(alert) }) },
    problems: [],
  }),
  getAlert: route({
    ...one,
    method: 'GET',
    path: '/alerts/:name',
    summary: 'One alert, without its secret',
    body: null,
    success: { status: 200, body: alert },
  }),
  setAlert: route({
    ...one,
    method: 'PUT',
    path: '/alerts/:name',
    summary:
      'Creates or changes an alert: a webhook for each new cause of parked commands (`groups`), domain with parked commands (`parked`), or when replies are late (`lateReplies`). A new one needs a secret of 16 to 200 characters, which signs the webhooks and is never shown; a change may leave it out',
    body: object(
      { url: t.string, on: t.union([kind, t.array(kind)]) },
      { secret: t.string, quiet: nullable(object(hours)), digestMinutes: nullable(integerFrom(1, 1_440)) },
    ),
    success: { status: 200, body: alert },
    problems: [],
  }),
  deleteAlert: route({
    ...one,
    method: 'DELETE',
    path: '/alerts/:name',
    summary: 'Ends an alert; webhooks that wait for their next attempt are given up',
    body: null,
    success: { status: 200, body: t.type({ name: t.string }) },
  }),
  testAlert: route({
    ...one,
    method: 'POST',
    path: '/alerts/:name/test',
    summary: 'Sends a test once, now, and says whether the receiver accepted it within 10 seconds',
    body: none,
    success: { status: 200, body: t.type({ id: t.string, sent: t.boolean, error: nullable(t.string) }) },
  }),
  listSentAlerts: route({
    ...one,
    method: 'GET',
    path: '/alerts/:name/sent',
    summary: 'What the alert has sent, has still to send and has given up within 30 days, newest first',
    query: object({}, paging),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(delivery), nextCursor: nullable(t.string) }) },
  }),
}
