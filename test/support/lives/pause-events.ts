import fc from 'fast-check'
import type { PauseEvent } from '../../../src/domain/flow/pause/events.ts'
import { at, later } from './workflow-life.ts'

const fact = { at, actor: 'ann' }
const paused = { ...fact, type: 'FlowPaused', domain: 'mail', reason: 'the provider is down' } as const

/** For each type, an arbitrary of a few events. */
export const pauseEvents: { readonly [Type in PauseEvent['type']]: fc.Arbitrary<PauseEvent> } = {
  FlowPaused: fc.constantFrom(
    { ...paused, commandType: null, tenantId: null, until: null },
    { ...paused, commandType: 'Send', tenantId: 'acme', until: later },
  ),
  FlowResumed: fc.constant({ ...fact, type: 'FlowResumed' }),
}
