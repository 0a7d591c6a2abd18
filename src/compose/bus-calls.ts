import type { Pool } from 'pg'
import type { BusCalls } from '../application/access/bus-calls.ts'
import { commandStoreOf } from '../application/commands/command-store.ts'
import { createCommandReader } from '../application/commands/read-commands.ts'
import type { Sender } from '../application/commands/sender.ts'
import type { TransactCommands } from '../application/commands/transact-commands.ts'
import { createUndeliveredReplies } from '../application/commands/undelivered-replies.ts'
import { readAttempts } from '../application/investigation/attempts.ts'
import { explainCause } from '../application/investigation/explain-cause.ts'
import { readCorrelation, readParkedAt } from '../application/investigation/investigate.ts'
import { readHistory } from '../application/investigation/read-history.ts'
import { createOperations } from '../application/operations/operations.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Rehearsals } from '../application/ports/rehearsals.ts'
import { createOwedReplies } from '../application/replies/owed-replies.ts'
import { createSearch } from '../application/search/search.ts'
import { createViews } from '../application/search/views.ts'
import type { SensitivePath } from '../application/sensitive/sensitive-paths.ts'
import type { Adopter } from '../application/strangers/adopter.ts'
import { createStrangers } from '../application/strangers/strangers.ts'
import type { SeparateLog } from '../application/troubleshooting/apply-action.ts'
import { planTurns } from '../application/troubleshooting/dry-run.ts'
import { dryRunAction } from '../application/troubleshooting/dry-run-action.ts'
import {
  cancelCommand,
  createOperatorCalls,
  rescheduleCommand,
} from '../application/troubleshooting/operate-command.ts'
import { payloadFaults, type rehearseCommand } from '../application/troubleshooting/rehearse-command.ts'
import type { Figures } from '../application/watching/figures.ts'
import { createWorkerCalls } from '../application/watching/workers.ts'
import type { CommandBusOptions } from '../bus-options.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import type { CommandEvent } from '../domain/command/events.ts'
import { createExplainQueries } from '../infrastructure/postgres/explain/samples.ts'
import { createCommandQueries } from '../infrastructure/postgres/reading/command-queries.ts'
import { createInvestigationQueries } from '../infrastructure/postgres/reading/investigation.ts'
import { createOwedQueries } from '../infrastructure/postgres/replies/owed.ts'
import { createUndeliveredStore } from '../infrastructure/postgres/replies/undelivered.ts'
import { createSearchStore } from '../infrastructure/postgres/search/search-store.ts'
import { createViewStore } from '../infrastructure/postgres/search/view-store.ts'
import { createAdoption } from '../infrastructure/postgres/strangers/adoption.ts'
import { createStrangerStore } from '../infrastructure/postgres/strangers/stranger-store.ts'
import { createWorkerQueries } from '../infrastructure/postgres/workers/worker-queries.ts'
import { createActions } from '../infrastructure/runners/bulk-actions.ts'
import { derivedId } from '../infrastructure/shared/uuid-ids.ts'
import { type OutboxOptions, outbox } from '../projections/outbox.ts'
import { type AlertingDeps, createAlerting } from './alerts.ts'
import { createFlow, type FlowDeps } from './flow.ts'
import type { Readiness } from './readiness.ts'
import { createScheduling, type SchedulesDeps } from './schedules.ts'
import { createWorkflows, type WorkflowsDeps } from './workflows.ts'

export interface BusCallsDeps
  extends Pick<WorkflowsDeps, 'newClient' | 'isAway' | 'clock' | 'ids' | 'log' | 'laneRules'>,
    Pick<FlowDeps, 'written' | 'onPauses'>,
    Pick<SchedulesDeps, 'sendBatch' | 'ownClock' | 'scheduleLimits'>,
    Pick<AlertingDeps, 'alerting'>,
    Pick<Readiness, 'guardedAll'> {
  readonly onSuccess: OutboxOptions['onSuccess']
  readonly workflows: CommandBusOptions['workflows'] | undefined
  readonly maxOperationRetries: number | undefined
  readonly lateAfterSeconds: number
  readonly sensitive: () => Promise<readonly SensitivePath[]>
  readonly transact: TransactCommands
  /** As `transact`, but does not wait for rows and messages. */
  readonly transactNow: TransactCommands
  readonly send: Sender['one']
  readonly adopter: Adopter
  readonly rehearsals: Rehearsals
  readonly rehearse: ReturnType<typeof rehearseCommand>
  readonly onFilled: (queues: Iterable<string>) => void
}

/** The calls of the bus on the connections of one pool, and its background runners. */
export const createBusCalls = (deps: BusCallsDeps) => (pool: Pool, store: EventStore<BusEvent>, figures: Figures) => {
  const { transact, transactNow, clock, ids, log, onFilled, guardedAll } = deps
  const commands = commandStoreOf(store)
  const queries = createCommandQueries(pool)
  const reader = createCommandReader(queries)
  const investigations = createInvestigationQueries(pool)
  const plan = planTurns(commands, ids, outbox({ onSuccess: deps.onSuccess }))
  const operate = {
    transact,
    clock,
    plan,
    log,
    faultsOf: payloadFaults({ store: commands, rehearsals: deps.rehearsals }),
  }
  const separateLog = store.capabilities.inlineProjections ? {} : { separateLog: separateLogOf(commands) }
  const actions = createActions({ pool, transact: transactNow, ...separateLog, clock, ids, log, onFilled })
  const { start, get, list, pause, resume, stop } = actions
  const workflows = createWorkflows({ ...deps, pool, store, derivedId, options: deps.workflows })
  const { templates, runner } = workflows
  const flow = createFlow({ ...deps, pool, store, derivedId })
  const { schedules, runner: scheduleRunner } = createScheduling({ ...deps, pool, store, derivedId })
  const { alerts, runner: alertRunner } = createAlerting({ ...deps, pool, derivedId })
  const bus: BusCalls = {
    ...guardedAll({
      getCommand: reader.get,
      findCommand: reader.find,
      queryCommands: reader.list,
      getAuditTrail: reader.auditTrail,
      getHistory: readHistory(commands),
      getAttempts: readAttempts(commands),
      getCorrelation: readCorrelation(investigations),
      cancel: cancelCommand(operate),
      reschedule: rescheduleCommand({ ...operate, get: reader.get }),
      ...flow.pauses,
    }),
    lanes: guardedAll(flow.lanes),
    workers: guardedAll(createWorkerCalls(createWorkerQueries(pool))),
    limits: guardedAll(flow.limits),
    causes: guardedAll(flow.causes),
    alerts: guardedAll(alerts),
    troubleshooting: guardedAll({
      list: reader.parked,
      groups: reader.parkedGroups,
      listAt: readParkedAt({ queries: investigations, store: commands, clock }),
      explain: explainCause({ queries: createExplainQueries(pool), sensitive: deps.sensitive }),
      ...createOperatorCalls(operate),
      rehearse: deps.rehearse,
      rehearsable: deps.rehearsals.domains,
    }),
    replies: guardedAll({
      ...createUndeliveredReplies(createUndeliveredStore(pool, onFilled), log),
      ...createOwedReplies(createOwedQueries(pool), deps.lateAfterSeconds),
    }),
    search: guardedAll(createSearch(createSearchStore(pool), log)),
    views: guardedAll(createViews(createViewStore(pool))),
    strangers: guardedAll(
      createStrangers(
        createStrangerStore(
          pool,
          createAdoption({
            pool,
            adopter: deps.adopter,
            logIsHere: store.capabilities.inlineProjections,
            isAway: deps.isAway,
          }),
        ),
        log,
      ),
    ),
    operations: guardedAll(createOperations({ ...deps, queries, derivedId, maxRetries: deps.maxOperationRetries })),
    actions: guardedAll({
      start,
      get,
      list,
      pause,
      resume,
      stop,
      dryRun: dryRunAction({ plan, clock, printOf: actions.store.printOf }),
    }),
    runs: guardedAll({
      createTemplate: templates.create,
      editTemplate: templates.edit,
      archiveTemplate: templates.archive,
      listTemplates: templates.list,
      ...workflows.runs,
    }),
    credits: guardedAll(workflows.credits),
    schedules: guardedAll(schedules),
    figures,
  }
  return { bus, actions, runner, scheduleRunner, alertRunner }
}

/** How bulk actions recognise finished items when the log is in another database. */
const separateLogOf = (store: Pick<EventStore<CommandEvent>, 'readStream'>): SeparateLog => ({
  eventIdOf: (actionId, ordinal) => derivedId(`bulk action ${actionId} item ${ordinal}`),
  idAt: async (stream, revision) => (await store.readStream(stream, revision))[0]?.id ?? null,
})
