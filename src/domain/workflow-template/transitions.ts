import type { TemplateEventType } from './events.ts'

export type TemplateStatus = 'ACTIVE' | 'ARCHIVED'

interface Transition {
  readonly from: readonly (TemplateStatus | 'NONE')[]
  readonly to: TemplateStatus
}

export const transitions: Readonly<Record<TemplateEventType, Transition>> = {
  TemplateCreated: { from: ['NONE'], to: 'ACTIVE' },
  TemplateEdited: { from: ['ACTIVE'], to: 'ACTIVE' },
  TemplateArchived: { from: ['ACTIVE'], to: 'ARCHIVED' },
}
