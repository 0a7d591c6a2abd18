import type { IntentBase } from '../intent-base.ts'

export interface CreateTemplate extends IntentBase {
  readonly type: 'Create'
  /** Null: for every tenant. */
  readonly tenantId: string | null
  readonly name: string
  readonly creditsPerRun: number
  readonly batchMode: boolean
}

/** What is left out stays. Runs keep the price they began with. */
export interface EditTemplate extends IntentBase {
  readonly type: 'Edit'
  readonly name?: string
  readonly creditsPerRun?: number
}

export interface ArchiveTemplate extends IntentBase {
  readonly type: 'Archive'
}

export type TemplateIntent = CreateTemplate | EditTemplate | ArchiveTemplate
