import type { IntentBase } from '../intent-base.ts'

export interface CreateTemplate extends IntentBase {
  readonly type: 'Create'
  /** Null: for every tenant. */
  readonly tenantId: string | null
  readonly name: string
  readonly creditsPerRun: number
  readonly batchMode: boolean
}

/** Members that are left out stay as they are. Runs keep the price they began with. */
export interface EditTemplate extends IntentBase {
  readonly type: 'Edit'
  readonly name?: string
  readonly creditsPerRun?: number
}

export interface ArchiveTemplate extends IntentBase {
  readonly type: 'Archive'
}

export type TemplateIntent = CreateTemplate | EditTemplate | ArchiveTemplate
