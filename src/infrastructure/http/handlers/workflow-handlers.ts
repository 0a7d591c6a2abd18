import type { PerFileResult, WorkflowRun } from '../../../application/ports/reading/workflow-queries.ts'
import type { workflowRoutes } from '../../../contract/workflows.ts'
import type { Handlers } from '../requests/mount.ts'

/** Workflow runs and credits, as the caller may use them. */
export const workflowHandlers: Pick<Handlers, keyof typeof workflowRoutes> = {
  createTemplate: ({ body }, caller) => caller.runs.createTemplate(body),
  listTemplates: async ({ query: { archived = 'false', ...query } }, caller) => {
    const { items, nextCursor } = await caller.runs.listTemplates({
      ...query,
      ...(archived === 'any' ? {} : { archived: archived === 'true' }),
    })
    return { items: [...items], nextCursor }
  },
  archiveTemplate: ({ params }, caller) => caller.runs.archiveTemplate(params.id),
  startRun: async ({ body }, caller) =>
    mutable(
      await caller.runs.initiate({
        ...body,
        files: body.files.map(({ fileName, input = null }) => ({ fileName, input })),
      }),
    ),
  listRuns: async ({ query }, caller) => {
    const { items, nextCursor } = await caller.runs.list(query)
    return { items: items.map(mutable), nextCursor }
  },
  getRun: async ({ params }, caller) => mutable(await caller.runs.get(params.id)),
  previewRetry: ({ params }, caller) => caller.runs.previewRetry(params.id),
  retryFailed: async ({ params }, caller) => mutable(await caller.runs.retryFailed(params.id)),
  cancelRun: async ({ params, body }, caller) => mutable(await caller.runs.cancel(params.id, body)),
  getCredits: async ({ query: { tenantId, ...paging } }, caller) => {
    const named = tenantId === undefined ? {} : { tenantId }
    const [balance, { items, nextCursor }] = await Promise.all([
      caller.credits.balance(tenantId),
      caller.credits.entries({ ...paging, ...named }),
    ])
    return { ...balance, ledger: [...items], nextCursor }
  },
  grantCredits: ({ body }, caller) => caller.credits.grant(body),
}

const mutable = (run: WorkflowRun): WorkflowRun & { perFileResults: PerFileResult[] } => ({
  ...run,
  perFileResults: [...run.perFileResults],
})
