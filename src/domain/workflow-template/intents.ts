import type { Instant } from '../instant.ts'

interface Asked {
  readonly at: Instant
  readonly actor: string
}

export interface CreateTemplate extends Asked {
  readonly type: 'Create'
  /** Null: for every tenant. */
  readonly tenantId: string | null
  readonly name: string
  readonly creditsPerRun: number
  readonly batchMode: boolean
}

/** What is left out stays. Runs keep the price they began with. */
export interface EditTemplate extends Asked {
  readonly type: 'Edit'
  readonly name?: string
  readonly creditsPerRun?: number
}

export interface ArchiveTemplate extends Asked {
  readonly type: 'Archive'
}

export type TemplateIntent = CreateTemplate | EditTemplate | ArchiveTemplate
