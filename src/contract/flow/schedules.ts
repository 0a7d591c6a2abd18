import * as t from 'io-ts'
import { priorities } from '../../domain/flow/priority.ts'
import { MAX_MISSED, missedRules, overlapRules } from '../../domain/flow/schedule/due.ts'
import { YEAR_SECONDS } from '../../domain/instant.ts'
import { anyJson, cutBeside, instant, integerFrom, nullable, object, wordOf } from '../codecs.ts'
import { none, paging, sent } from '../commands.ts'
import { route } from '../route.ts'

const members = {
  name: t.string,
  tenantId: nullable(t.string),
  status: wordOf(['ACTIVE', 'PAUSED']),
  domain: t.string,
  commandType: t.string,
  data: anyJson,
  replyTo: nullable(t.string),
  priority: wordOf(priorities),
  key: nullable(t.string),
  cron: nullable(t.string),
  timeZone: t.string,
  everySeconds: nullable(t.number),
  missed: wordOf(missedRules),
  maxMissed: t.number,
  overlap: wordOf(overlapRules),
  createdAt: instant,
  createdBy: t.string,
  setAt: instant,
  setBy: t.string,
  pausedAt: nullable(instant),
  pausedBy: nullable(t.string),
  pauseReason: nullable(t.string),
  next: t.array(instant),
  lastTime: nullable(instant),
  lastCommandId: nullable(t.string),
  lastPassedOver: nullable(instant),
}

const schedule = t.type(members)
const listed = t.intersection([schedule, cutBeside('data')])

const params = object({ name: t.string })
const tag = 'Flow'
const one = { tag, params, query: none, success: { status: 200, body: schedule } } as const

export const scheduleRoutes = {
  listSchedules: route({
    method: 'GET',
    path: '/schedules',
    summary:
      'Schedules by name, each with its next five times. `data` larger than 4 KiB is null, with `dataBytes` and `dataPreview`: read the single schedule for all of it',
    tag,
    permission: 'read',
    params: none,
    query: object({}, { domain: t.string, ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(listed), nextCursor: nullable(t.string) }) },
    problems: [],
  }),
  getSchedule: route({
    ...one,
    method: 'GET',
    path: '/schedules/:name',
    summary: 'One schedule, with its next five times and the last one that was sent',
    permission: 'read',
    body: null,
    problems: ['SCHEDULE_NOT_FOUND'],
  }),
  setSchedule: route({
    ...one,
    method: 'PUT',
    path: '/schedules/:name',
    summary:
      'Creates or changes a schedule: a command at the times of a cron (5 fields, or 6 with seconds, in an IANA time zone), or every so many seconds. From then on the new times count; earlier ones that were not sent are not sent any more',
    permission: 'operate',
    body: object(
      { domain: t.string, commandType: t.string, data: anyJson },
      {
        cron: t.string,
        everySeconds: integerFrom(1, YEAR_SECONDS),
        timeZone: t.string,
        missed: wordOf(missedRules),
        maxMissed: integerFrom(1, MAX_MISSED),
        overlap: wordOf(overlapRules),
        replyTo: t.string,
        priority: wordOf(priorities),
        key: t.string,
      },
    ),
    problems: ['DOMAIN_RESERVED', 'REPLY_QUEUE_REFUSED', 'SCHEDULE_NAME_TAKEN', 'TOO_MANY_QUEUES'],
  }),
  deleteSchedule: route({
    method: 'DELETE',
    path: '/schedules/:name',
    summary: 'Ends a schedule; its name may be used again. Commands that it has sent are not affected',
    tag,
    permission: 'operate',
    params,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ name: t.string }) },
    problems: ['SCHEDULE_NOT_FOUND'],
  }),
  pauseSchedule: route({
    ...one,
    method: 'POST',
    path: '/schedules/:name/pause',
    summary: 'Sends nothing until it is resumed',
    permission: 'operate',
    body: object({ reason: t.string }),
    problems: ['SCHEDULE_NOT_FOUND'],
  }),
  resumeSchedule: route({
    ...one,
    method: 'POST',
    path: '/schedules/:name/resume',
    summary: 'Goes on with the next time; those during the pause are not sent',
    permission: 'operate',
    body: none,
    problems: ['SCHEDULE_NOT_FOUND'],
  }),
  runSchedule: route({
    method: 'POST',
    path: '/schedules/:name/run',
    summary: 'Sends its command once more, now, also while it is paused; its times stay as they are',
    tag,
    permission: 'operate',
    params,
    query: none,
    body: none,
    success: { status: 202, body: sent },
    problems: ['SCHEDULE_NOT_FOUND', 'DOMAIN_RESERVED', 'REPLY_QUEUE_REFUSED', 'TOO_MANY_QUEUES'],
  }),
}
