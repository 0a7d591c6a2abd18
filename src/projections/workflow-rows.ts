import type { BusEvent } from '../domain/bus-event.ts'
import { isCommandStream } from '../domain/command/names.ts'
import type { CreditsEvent } from '../domain/credits/events.ts'
import { parseCreditsStream } from '../domain/credits/names.ts'
import type { Recorded } from '../domain/recorded.ts'
import type { RunEvent } from '../domain/workflow-run/events.ts'
import { parseRunStream } from '../domain/workflow-run/names.ts'
import type { TemplateEvent } from '../domain/workflow-template/events.ts'
import { parseTemplateStream } from '../domain/workflow-template/names.ts'
import { creditRows } from './credit-rows.ts'
import { flowRows } from './flow-rows.ts'
import type { RowWrite } from './row-write.ts'
import { runRows } from './run-rows.ts'
import { templateRows } from './template-rows.ts'

const none: readonly RowWrite[] = []

/** What an event changes in the tables of runs, templates, credits and settings; nothing for events of commands. */
export const workflowRows = (recorded: Recorded<BusEvent>): readonly RowWrite[] => {
  const { stream, revision, event } = recorded
  // what every command's event is asked first, and mostly alone
  if (isCommandStream(stream)) return none
  const runId = parseRunStream(stream)
  if (runId !== null) return runRows(runId, revision, event as RunEvent)
  const tenantId = parseCreditsStream(stream)
  if (tenantId !== null) return creditRows(tenantId, revision, event as CreditsEvent)
  const templateId = parseTemplateStream(stream)
  if (templateId !== null) return templateRows(templateId, revision, event as TemplateEvent)
  return flowRows(recorded)
}
