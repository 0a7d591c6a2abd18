import type { TemplateEvent } from '../domain/workflow-template/events.ts'
import type { RowWrite } from './row-write.ts'

const table = 'command_bus_workflow_template'

export const templateRows = (templateId: string, revision: number, event: TemplateEvent): readonly RowWrite[] => {
  const key = { template_id: templateId, revision, updated_at: event.at }
  switch (event.type) {
    case 'TemplateCreated':
      return [
        {
          table,
          kind: 'put',
          row: {
            ...key,
            tenant_id: event.tenantId,
            name: event.name,
            credits_per_run: event.creditsPerRun,
            batch_mode: event.batchMode,
            created_by: event.actor,
            created_at: event.at,
            archived_at: null,
          },
        },
      ]
    case 'TemplateEdited':
      return [{ table, kind: 'patch', row: { ...key, name: event.name, credits_per_run: event.creditsPerRun } }]
    case 'TemplateArchived':
      return [{ table, kind: 'patch', row: { ...key, archived_at: event.at } }]
  }
}
