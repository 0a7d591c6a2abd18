import type { Runs } from './workflow-runs.ts'
import type { Templates } from './workflow-templates.ts'

/** The calls for templates and runs. */
export interface WorkflowCalls extends Runs {
  /** Makes a template. @throws InvalidInputError */
  readonly createTemplate: Templates['create']
  /** Changes what is given of a template; runs that began keep theirs. @throws TemplateNotFoundError, InvalidInputError */
  readonly editTemplate: Templates['edit']
  /** No new runs begin with the template. @throws TemplateNotFoundError */
  readonly archiveTemplate: Templates['archive']
  /** Templates of the tenant, and those of all tenants, in pages. */
  readonly listTemplates: Templates['list']
}
