export interface TemplateFacts {
  /** Null: every tenant may run it. */
  readonly tenantId: string | null
  readonly name: string
  readonly creditsPerRun: number
  readonly batchMode: boolean
}

export type TemplateState =
  | { readonly status: 'NONE' }
  | ({ readonly status: 'ACTIVE' } & TemplateFacts)
  /** Starts no further runs; existing runs go on. */
  | ({ readonly status: 'ARCHIVED' } & TemplateFacts)

export const initialState: TemplateState = { status: 'NONE' }
