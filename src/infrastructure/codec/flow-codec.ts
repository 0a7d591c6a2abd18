import * as t from 'io-ts'
import type { FlowEvent } from '../../domain/flow/events.ts'
import type { PauseEvent } from '../../domain/flow/pause/events.ts'
import { type EventSchemas, eventCodec, nullable } from './event-codec.ts'

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

const schemas: EventSchemas<FlowEvent> = { ...pauseSchemas }

/** Settings. Change a shape only with a new version and a step in the upcasts. */
export const flowCodec = eventCodec<FlowEvent>(schemas, {})

export const flowEventTypes: readonly string[] = Object.keys(schemas)
