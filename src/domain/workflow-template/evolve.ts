import type { TemplateEvent } from './events.ts'
import type { TemplateState } from './state.ts'
import { transitions } from './transitions.ts'

export const evolve = (state: TemplateState, event: TemplateEvent): TemplateState => {
  const status = transitions[event.type].to
  if (event.type === 'TemplateCreated') {
    const { tenantId, name, creditsPerRun, batchMode } = event
    return { status, tenantId, name, creditsPerRun, batchMode }
  }
  if (state.status === 'NONE') return state
  switch (event.type) {
    case 'TemplateEdited':
      return { ...state, status, name: event.name, creditsPerRun: event.creditsPerRun }
    case 'TemplateArchived':
      return { ...state, status }
  }
}
