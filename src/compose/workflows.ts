import type { Client, Pool } from 'pg'
import { commandStoreOf } from '../application/commands/command-store.ts'
import type { RetryOptions } from '../application/commands/send-command.ts'
import { createTransactCommands } from '../application/commands/transact-commands.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Ids } from '../application/ports/ids.ts'
import type { Log } from '../application/ports/log.ts'
import { createCredits } from '../application/runs/credits.ts'
import { createRunJobs, WORKFLOW_DOMAIN } from '../application/runs/run-jobs.ts'
import { createRunProcess } from '../application/runs/run-process.ts'
import { createRuns } from '../application/runs/workflow-runs.ts'
import { createWorkflowStore } from '../application/runs/workflow-store.ts'
import { createTemplates } from '../application/runs/workflow-templates.ts'
import type { LaneRules } from '../application/sending/lane-rules.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import { createJobFeed } from '../infrastructure/postgres/log/job-feed.ts'
import { createWorkflowQueries } from '../infrastructure/postgres/reading/workflow-queries.ts'
import { createRunRunner, type WorkflowOptions } from '../infrastructure/runners/workflow-runs.ts'

export interface WorkflowsDeps {
  readonly pool: Pool
  readonly newClient: () => Client
  readonly store: EventStore<BusEvent>
  readonly clock: Clock
  readonly ids: Ids
  readonly derivedId: (text: string) => string
  readonly laneRules: LaneRules
  readonly log: Log
  /** The log or the database cannot be reached now. */
  readonly isAway: (error: unknown) => boolean
  readonly options?: WorkflowOptions | undefined
}

const defaultPolicy: RetryOptions = { maxAttempts: 3, backoffSeconds: [1, 5], jitter: 0.1 }

/** Makes runs, templates, credits, and the runner that follows the runs. */
export const createWorkflows = (deps: WorkflowsDeps) => {
  const { pool, store, clock, ids, log, isAway, derivedId, laneRules, options = {} } = deps
  const domain = options.domain ?? WORKFLOW_DOMAIN
  const workflows = createWorkflowStore(store, ids, clock)
  const policy = { ...defaultPolicy, ...options.policy }
  const jobs = createRunJobs({ domain, policy, laneRules, store, clock, ids, derivedId })
  const queries = createWorkflowQueries({ pool, domain, commandId: jobs.commandId })
  const transact = createTransactCommands(commandStoreOf(store), ids)
  const process = createRunProcess({ workflows, jobs, transact, clock, log, isAway })
  const runner = createRunRunner({
    pool,
    newClient: deps.newClient,
    feed: createJobFeed(pool, domain),
    process,
    queries,
    mayOrphan: !workflows.atomic,
    log,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  return {
    runs: createRuns({ workflows, jobs, process, queries, clock, ids, log, onStarted: runner.wake }),
    templates: createTemplates({ workflows, queries, clock, ids }),
    credits: createCredits({ workflows, queries, clock, ids }),
    runner,
  }
}

export type Workflows = ReturnType<typeof createWorkflows>
