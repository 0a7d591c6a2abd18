import * as t from 'io-ts'
import { lanesBy, onParkChoices } from '../../domain/flow/lane/events.ts'
import { instant, integerFrom, nullable, numberFrom, object, trueOrFalse, wordOf } from '../codecs.ts'
import { domainParams, none, paging } from '../commands.ts'
import { route } from '../route.ts'

const MAX_WIDTH = 1_000
const MAX_RATE = 1_000_000

const settings = { width: t.number, ratePerSecond: nullable(t.number), onPark: wordOf(onParkChoices) }

const lane = t.type({
  domain: t.string,
  lane: t.string,
  ...settings,
  width: nullable(t.number),
  limit: nullable(t.string),
  running: t.array(t.string),
  waiting: t.number,
  waitingSince: nullable(instant),
  blockedBy: nullable(t.type({ commandId: nullable(t.string), since: instant, why: wordOf(['PARKED', 'RETRY']) })),
})

const limit = t.type({
  domain: t.string,
  name: t.string,
  commandType: nullable(t.string),
  by: wordOf(lanesBy),
  ...settings,
  updatedBy: t.string,
  updatedAt: instant,
})

const change = {
  ratePerSecond: nullable(numberFrom(0, MAX_RATE)),
  onPark: wordOf(onParkChoices),
}

const tag = 'Flow'
const laneParams = object({ domain: t.string, lane: t.string })
const limitParams = object({ domain: t.string, name: t.string })
const oneLane = { path: '/domains/:domain/lanes/:lane', tag, params: laneParams, query: none, problems: [] } as const
const oneLimit = { path: '/domains/:domain/limits/:name', tag, params: limitParams, query: none } as const

export const laneRoutes = {
  listLanes: route({
    method: 'GET',
    path: '/lanes',
    summary:
      'Lanes that have commands or settings of their own, by domain and name; with `blocked=true` those in which nothing can begin now. `running` has at most 100 ids, and `waiting` counts up to 1,000. A token with a tenant sees its own commands only',
    tag,
    permission: 'read',
    params: none,
    query: object({}, { domain: t.string, blocked: trueOrFalse, ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(lane), nextCursor: nullable(t.string) }) },
    problems: [],
  }),
  getLane: route({
    ...oneLane,
    method: 'GET',
    summary: 'One lane; one that nobody has used or set has width 1, holds, and is empty',
    permission: 'read',
    body: null,
    success: { status: 200, body: lane },
  }),
  setLane: route({
    ...oneLane,
    method: 'PUT',
    summary:
      'Sets how many commands of a lane run at once and begin within a second, and whether a parked one holds the lane or lets the next pass. It counts at once, also for commands that wait',
    permission: 'operate',
    body: object({ width: integerFrom(1, MAX_WIDTH) }, change),
    success: { status: 200, body: lane },
  }),
  listLimits: route({
    method: 'GET',
    path: '/domains/:domain/limits',
    summary: 'The rules that put commands of a domain into lanes when they are sent, by name',
    tag,
    permission: 'read',
    params: domainParams,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ items: t.array(limit) }) },
    problems: [],
  }),
  getLimit: route({
    ...oneLimit,
    method: 'GET',
    summary: 'One rule',
    permission: 'read',
    body: null,
    success: { status: 200, body: limit },
    problems: ['NOT_FOUND'],
  }),
  setLimit: route({
    ...oneLimit,
    method: 'PUT',
    summary:
      'Sets a rule for commands that are sent from then on: `by: type` puts them into one lane, `tenant` into a lane for each tenant, `key` limits the lane of each key. Lanes it has made obey it at once',
    permission: 'operate',
    body: object(
      { by: wordOf(lanesBy), width: integerFrom(1, MAX_WIDTH) },
      { commandType: nullable(t.string), ...change },
    ),
    success: { status: 200, body: limit },
    problems: [],
  }),
  deleteLimit: route({
    ...oneLimit,
    method: 'DELETE',
    summary: 'Removes a rule: its lanes have no limit any more; those of keys are as without a rule',
    permission: 'operate',
    body: null,
    success: { status: 200, body: limit },
    problems: ['NOT_FOUND'],
  }),
}
