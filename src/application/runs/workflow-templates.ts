import { isLeft } from 'fp-ts/lib/Either.js'
import { workflowTemplate } from '../../domain/workflow-template/index.ts'
import type { TemplateIntent } from '../../domain/workflow-template/intents.ts'
import type { Principal } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import type { TemplateFilter, WorkflowQueries, WorkflowTemplate } from '../ports/reading/workflow-queries.ts'
import { InvalidOperationError } from '../shared/errors.ts'
import { booleanOf, commandIdOf, optional, pagingOf, textOf } from '../shared/input.ts'
import { TemplateNotFoundError } from './run-errors.ts'
import { priceOf, templateNameOf, tenantOf } from './workflow-input.ts'
import type { WorkflowStore } from './workflow-store.ts'

/** A new template of workflow runs. */
export interface NewTemplate {
  readonly name: string
  /** The price of a file, in credits: a whole number from 0. */
  readonly creditsPerRun: number
  /** True: all files of a run are one job. Default false: each file is one job. */
  readonly batchMode?: boolean
  /** Missing: for every tenant. */
  readonly tenantId?: string
}

export interface TemplateDeps {
  readonly workflows: WorkflowStore
  readonly queries: Pick<WorkflowQueries, 'templates'>
  readonly clock: Clock
  readonly ids: Ids
}

export const createTemplates = ({ workflows, queries, clock, ids }: TemplateDeps) => {
  /** Another tenant's template counts as unknown; a template for all tenants can be changed by callers without a tenant. */
  const change = (id: string, principal: Principal, intent: TemplateIntent): Promise<WorkflowTemplate> => {
    const templateId = commandIdOf(id, 'templateId')
    return workflows.together(async () => {
      const loaded = await workflows.loadTemplate(templateId)
      const { state } = loaded
      const mine = state.status === 'NONE' || principal.tenant === null || state.tenantId === principal.tenant
      const decided = workflowTemplate.decide(intent, mine ? state : workflowTemplate.initial)
      if (isLeft(decided)) {
        if (decided.left.type === 'NotFound') throw new TemplateNotFoundError(templateId)
        throw new InvalidOperationError(`workflow template ${templateId} is archived`, 'ARCHIVED')
      }
      const events = decided.right
      const after = events.reduce(workflowTemplate.evolve, state)
      if (after.status === 'NONE') throw new TemplateNotFoundError(templateId)
      const history = await historyOf(templateId, events)
      return {
        appends: workflows.ofTemplate(templateId, after.tenantId, loaded, events),
        answer: {
          id: templateId,
          tenantId: after.tenantId,
          name: after.name,
          creditsPerRun: after.creditsPerRun,
          batchMode: after.batchMode,
          ...history,
        },
      }
    })
  }

  const historyOf = async (
    id: string,
    more: readonly { readonly type: string; readonly at: string; readonly actor: string }[],
  ) => {
    const events = [...(await workflows.historyOfTemplate(id)), ...more]
    const [first] = events
    const last = events.at(-1)
    return {
      createdBy: first?.actor ?? '',
      createdAt: first?.at ?? '',
      updatedAt: last?.at ?? '',
      archivedAt: events.find(({ type }) => type === 'TemplateArchived')?.at ?? null,
    }
  }

  const by = (principal: Principal) => ({
    at: clock.now().toISOString(),
    actor: textOf(principal.subject, 'subject', 200),
  })

  return {
    /** @throws InvalidInputError */
    create: async (principal: Principal, given: NewTemplate): Promise<WorkflowTemplate> => {
      return change(ids.next(), principal, {
        ...by(principal),
        type: 'Create',
        tenantId: principal.tenant ?? optional(given.tenantId, tenantOf),
        name: templateNameOf(given.name),
        creditsPerRun: priceOf(given.creditsPerRun),
        batchMode: given.batchMode === undefined ? false : booleanOf(given.batchMode, 'batchMode'),
      })
    },
    /** Runs keep the price they began with. @throws TemplateNotFoundError, InvalidOperationError (archived) */
    edit: async (principal: Principal, id: string, given: Pick<Partial<NewTemplate>, 'name' | 'creditsPerRun'>) =>
      change(id, principal, {
        ...by(principal),
        type: 'Edit',
        ...(given.name === undefined ? {} : { name: templateNameOf(given.name) }),
        ...(given.creditsPerRun === undefined ? {} : { creditsPerRun: priceOf(given.creditsPerRun) }),
      }),
    /** Allows no new runs; existing runs go on and can be continued. @throws TemplateNotFoundError */
    archive: async (principal: Principal, id: string) => change(id, principal, { ...by(principal), type: 'Archive' }),
    /** The tenant's templates and those for all tenants, newest first. */
    list: async (principal: Principal, filter: TemplateFilter = {}): Promise<Page<WorkflowTemplate>> => {
      const tenantId = principal.tenant ?? optional(filter.tenantId, tenantOf)
      return queries.templates({
        ...(tenantId === null ? {} : { tenantId }),
        ...(filter.archived === undefined ? {} : { archived: filter.archived }),
        ...pagingOf(filter),
      })
    },
  }
}

export type Templates = ReturnType<typeof createTemplates>
