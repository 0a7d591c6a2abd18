import * as t from 'io-ts'
import { instant, nullable, object, uuid } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const members = {
  pauseId: t.string,
  domain: t.string,
  commandType: nullable(t.string),
  tenantId: nullable(t.string),
  reason: t.string,
  until: nullable(instant),
  pausedBy: t.string,
  pausedAt: instant,
}

const tag = 'Flow'

export const pauseRoutes = {
  pause: route({
    method: 'POST',
    path: '/flow/pauses',
    summary:
      'Pauses a domain, or in it a type, a tenant, or one type of one tenant: a second later nothing of it is begun. No send is refused',
    tag,
    permission: 'operate',
    params: none,
    query: none,
    body: object({ domain: t.string, reason: t.string }, { commandType: t.string, tenantId: t.string, until: instant }),
    success: { status: 201, body: t.type(members) },
    problems: ['CONFLICT'],
  }),
  listPauses: route({
    method: 'GET',
    path: '/flow/pauses',
    summary: 'What is paused now, newest first, at most 1,000; with `at` what was paused at that instant, from the log',
    tag,
    permission: 'read',
    params: none,
    query: object({}, { domain: t.string, at: instant }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(t.type(members)) }) },
    problems: [],
  }),
  resume: route({
    method: 'DELETE',
    path: '/flow/pauses/:id',
    summary: 'Ends a pause; one that has ended stays as it is',
    tag,
    permission: 'operate',
    params: object({ id: uuid }),
    query: none,
    body: null,
    success: {
      status: 200,
      body: t.type({ ...members, resumedAt: nullable(instant), resumedBy: nullable(t.string) }),
    },
    problems: ['NOT_FOUND'],
  }),
}
