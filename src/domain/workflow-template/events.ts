import type { Instant } from '../instant.ts'

interface Fact {
  readonly at: Instant
  readonly actor: string
}

export interface TemplateCreated extends Fact {
  readonly type: 'TemplateCreated'
  readonly tenantId: string | null
  readonly name: string
  readonly creditsPerRun: number
  readonly batchMode: boolean
}

export interface TemplateEdited extends Fact {
  readonly type: 'TemplateEdited'
  readonly name: string
  readonly creditsPerRun: number
}

export interface TemplateArchived extends Fact {
  readonly type: 'TemplateArchived'
}

export type TemplateEvent = TemplateCreated | TemplateEdited | TemplateArchived
export type TemplateEventType = TemplateEvent['type']
