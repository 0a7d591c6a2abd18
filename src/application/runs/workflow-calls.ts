import type { Runs } from './workflow-runs.ts'
import type { Templates } from './workflow-templates.ts'

/** The calls for templates and runs. */
export interface WorkflowCalls extends Runs {
  readonly createTemplate: Templates['create']
  readonly editTemplate: Templates['edit']
  readonly archiveTemplate: Templates['archive']
  readonly listTemplates: Templates['list']
}
