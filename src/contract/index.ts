import { actionRoutes } from './actions.ts'
import { commandRoutes } from './commands.ts'
import { laneRoutes } from './flow/lanes.ts'
import { pauseRoutes } from './flow/pauses.ts'
import { scheduleRoutes } from './flow/schedules.ts'
import { strangerRoutes } from './flow/strangers.ts'
import { historyRoutes } from './history.ts'
import { operationRoutes } from './operations.ts'
import { alertRoutes } from './operators/alerts.ts'
import { causeRoutes } from './operators/causes.ts'
import { proofRoutes } from './proof.ts'
import { replyRoutes } from './replies.ts'
import { searchRoutes } from './search/search.ts'
import { viewRoutes } from './search/views.ts'
import { statsRoutes } from './stats.ts'
import { rehearsalRoutes, troubleshootingRoutes } from './troubleshooting.ts'
import { figureRoutes } from './watching/figures.ts'
import { workerRoutes } from './watching/workers.ts'
import { attemptRoutes } from './why/attempts.ts'
import { explainRoutes } from './why/explain.ts'
import { workflowRoutes } from './workflows.ts'

/** Every route below the base path, by its operation id. */
export const api = {
  ...commandRoutes,
  ...historyRoutes,
  ...troubleshootingRoutes,
  ...rehearsalRoutes,
  ...actionRoutes,
  ...causeRoutes,
  ...alertRoutes,
  ...replyRoutes,
  ...strangerRoutes,
  ...operationRoutes,
  ...workflowRoutes,
  ...laneRoutes,
  ...scheduleRoutes,
  ...pauseRoutes,
  ...searchRoutes,
  ...viewRoutes,
  ...statsRoutes,
  ...workerRoutes,
  ...figureRoutes,
  ...proofRoutes,
  ...attemptRoutes,
  ...explainRoutes,
}

export type Api = typeof api
