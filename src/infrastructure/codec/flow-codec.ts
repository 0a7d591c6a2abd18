import * as t from 'io-ts'
import type { CauseEvent } from '../../domain/flow/cause/events.ts'
import type { FlowEvent } from '../../domain/flow/events.ts'
import { type LaneEvent, type LimitEvent, lanesBy, onParkChoices } from '../../domain/flow/lane/events.ts'
import type { PauseEvent } from '../../domain/flow/pause/events.ts'
import { priorities } from '../../domain/flow/priority.ts'
import { missedRules, overlapRules } from '../../domain/flow/schedule/due.ts'
import type { ScheduleEvent } from '../../domain/flow/schedule/events.ts'
import { type EventSchemas, eventCodec, nullable } from './event-codec.ts'
import { json, number, oneOf } from './json.ts'

/** The stored form of a pause's events, version 1. */
const pauseSchemas: EventSchemas<PauseEvent> = {
  FlowPaused: {
    version: 1,
    data: t.strict({
      domain: t.string,
      commandType: nullable(t.string),
      tenantId: nullable(t.string),
      reason: t.string,
      until: nullable(t.string),
    }),
  },
  FlowResumed: { version: 1, data: t.strict({}) },
}

const causeKey = { domain: t.string, commandType: t.string, errorCode: t.string }

/** The stored form of what operators write down about causes, version 1. */
const causeSchemas: EventSchemas<CauseEvent> = {
  CauseNoted: { version: 1, data: t.strict({ ...causeKey, text: t.string, number }) },
  CauseAssigned: { version: 1, data: t.strict({ ...causeKey, assignee: nullable(t.string) }) },
  CauseTagged: { version: 1, data: t.strict({ ...causeKey, tags: t.readonlyArray(t.string) }) },
  CauseInvestigated: {
    version: 1,
    data: t.strict({ ...causeKey, until: nullable(t.string), reason: nullable(t.string) }),
  },
}

const settings = { width: number, ratePerSecond: nullable(number), onPark: oneOf(onParkChoices) }

/** The stored form of the settings of lanes, and of the rules that make lanes, version 1. */
const laneSchemas: EventSchemas<LaneEvent | LimitEvent> = {
  LaneSet: { version: 1, data: t.strict({ domain: t.string, lane: t.string, ...settings }) },
  LimitSet: {
    version: 1,
    data: t.strict({
      domain: t.string,
      name: t.string,
      commandType: nullable(t.string),
      by: oneOf(lanesBy),
      ...settings,
    }),
  },
  LimitRemoved: { version: 1, data: t.strict({ domain: t.string, name: t.string }) },
}

const set = {
  domain: t.string,
  commandType: t.string,
  data: json,
  replyTo: nullable(t.string),
  priority: oneOf(priorities),
  key: nullable(t.string),
  cron: nullable(t.string),
  timeZone: t.string,
  everySeconds: nullable(number),
  everyFrom: t.string,
  missed: oneOf(missedRules),
  maxMissed: number,
  overlap: oneOf(overlapRules),
}

/** The stored form of a schedule's events, version 1. */
const scheduleSchemas: EventSchemas<ScheduleEvent> = {
  ScheduleCreated: { version: 1, data: t.strict({ ...set, tenantId: nullable(t.string), incarnation: number }) },
  ScheduleChanged: { version: 1, data: t.strict(set) },
  SchedulePaused: { version: 1, data: t.strict({ reason: t.string }) },
  ScheduleResumed: { version: 1, data: t.strict({}) },
  ScheduleDeleted: { version: 1, data: t.strict({}) },
}

const schemas: EventSchemas<FlowEvent> = { ...pauseSchemas, ...laneSchemas, ...scheduleSchemas, ...causeSchemas }

/** Settings. Change a shape only with a new version and a step in the upcasts. */
export const flowCodec = eventCodec<FlowEvent>(schemas, {})

export const flowEventTypes: readonly string[] = Object.keys(schemas)
