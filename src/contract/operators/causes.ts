import * as t from 'io-ts'
import { instant, nullable, object } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const key = { domain: t.string, commandType: t.string, errorCode: t.string }

const body = t.type({
  ...key,
  assignee: nullable(t.string),
  tags: t.readonlyArray(t.string),
  investigatedUntil: nullable(instant),
  investigatedBy: nullable(t.string),
  investigationReason: nullable(t.string),
  notes: t.readonlyArray(t.type({ at: instant, operator: t.string, text: t.string })),
})

const every = {
  tag: 'Troubleshooting',
  params: none,
  problems: [],
} as const

const one = { ...every, success: { status: 200, body } } as const

export const causeRoutes = {
  listCauses: route({
    ...every,
    method: 'GET',
    path: '/troubleshooting/causes',
    summary:
      'What operators have written down about causes (the parked commands of a domain, type and error code): the last 100 that changed, each with its last 100 notes',
    permission: 'read',
    query: object({}, key),
    body: null,
    success: { status: 200, body: t.type({ items: t.readonlyArray(body) }) },
  }),
  noteCause: route({
    ...one,
    method: 'POST',
    path: '/troubleshooting/causes/notes',
    summary: 'Add a note to a cause, up to 2,000 characters',
    permission: 'operate',
    query: none,
    body: object({ ...key, text: t.string }),
  }),
  assignCause: route({
    ...one,
    method: 'PUT',
    path: '/troubleshooting/causes/assignee',
    summary: 'Say who takes care of a cause, or null for nobody',
    permission: 'operate',
    query: none,
    body: object({ ...key, assignee: nullable(t.string) }),
  }),
  tagCause: route({
    ...one,
    method: 'PUT',
    path: '/troubleshooting/causes/tags',
    summary: 'Replace the tags of a cause, up to 20 of 50 characters',
    permission: 'operate',
    query: none,
    body: object({ ...key, tags: t.array(t.string) }),
  }),
  investigateCause: route({
    ...one,
    method: 'PUT',
    path: '/troubleshooting/causes/investigation',
    summary:
      'Leave the parked commands of a cause out of counts and alerts until an instant, at most a year ahead; they stay in the lists. Null ends that',
    permission: 'operate',
    query: none,
    body: object({ ...key, until: nullable(instant) }, { reason: t.string }),
  }),
}
