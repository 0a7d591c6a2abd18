import * as t from 'io-ts'
import type { FlowEvent } from '../../domain/flow/events.ts'
import { type LaneEvent, type LimitEvent, lanesBy, onParkChoices } from '../../domain/flow/lane/events.ts'
import type { PauseEvent } from '../../domain/flow/pause/events.ts'
import { type EventSchemas, eventCodec, nullable } from './event-codec.ts'
import { number, oneOf } from './json.ts'

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

const schemas: EventSchemas<FlowEvent> = { ...pauseSchemas, ...laneSchemas }

/** Settings. Change a shape only with a new version and a step in the upcasts. */
export const flowCodec = eventCodec<FlowEvent>(schemas, {})

export const flowEventTypes: readonly string[] = Object.keys(schemas)
