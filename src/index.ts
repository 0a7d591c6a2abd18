import { EventEmitter } from 'node:events'
import type { ClientBase, Pool } from 'pg'
import type { BulkActionOptions } from './application/action-input.ts'
import type { ApartFromMarks } from './application/action-turns.ts'
import { awaitingDispatch } from './application/await-dispatch.ts'
import { type Caller, type CallerDeps, createCaller } from './application/caller.ts'
import { coalesce } from './application/coalesce.ts'
import { commandsOf } from './application/commands-of.ts'
import type { Credits } from './application/credits.ts'
import { type CommandPlan, planTurns } from './application/dry-run.ts'
import { type ActionPlan, dryRunAction } from './application/dry-run-action.ts'
import { InvalidInputError } from './application/errors.ts'
import {
  type CausalTree,
  type ParkedAtOptions,
  type ParkedAtPage,
  readCorrelation,
  readParkedAt,
} from './application/investigate.ts'
import {
  type CancelOptions,
  cancelCommand,
  type OperatorCancelOptions,
  type OperatorCompleteOptions,
  type OperatorRetryOptions,
  operatorCancel,
  operatorComplete,
  operatorRetry,
} from './application/operate-command.ts'
import {
  createOperations,
  type Operation,
  type OperationFilter,
  type Owner,
  type StartOperation,
} from './application/operations.ts'
import type { Identity } from './application/ports/authorization.ts'
import { type Clock, systemClock } from './application/ports/clock.ts'
import type {
  AuditEntry,
  CommandDetail,
  CommandFilter,
  CommandView,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from './application/ports/command-queries.ts'
import type { EventStore } from './application/ports/event-store.ts'
import { type Log, silentLog } from './application/ports/log.ts'
import { silentTelemetry, type Telemetry } from './application/ports/telemetry.ts'
import { createCommandReader } from './application/read-commands.ts'
import { type CommandHistory, type HistoryOptions, readHistory } from './application/read-history.ts'
import { payloadFaults, type Rehearsal, type RehearseOptions, rehearseCommand } from './application/rehearse-command.ts'
import { roleAuthorization } from './application/roles.ts'
import {
  acceptedOrThrow,
  type BatchResult,
  type CommandToSend,
  type PreparedSend,
  prepareSend,
  type RetryOptions,
  type SendOutcome,
  type SentCommand,
  sendBatch,
  sendPrepared,
  watchSend,
} from './application/send-command.ts'
import { createTransactCommands } from './application/transact-commands.ts'
import type { WorkflowCalls } from './application/workflow-calls.ts'
import type { CommandEvent } from './domain/command/events.ts'
import { type Actions, createActions } from './infrastructure/actions.ts'
import type { EventStoreDbLogOptions } from './infrastructure/eventstoredb/index.ts'
import { createPostgresLiveEvents } from './infrastructure/live/postgres-live-events.ts'
import { type Follower, openLog } from './infrastructure/open-log.ts'
import { createDoorbell } from './infrastructure/pgmq/doorbell.ts'
import { createPgmqQueue, createQueueCatalog } from './infrastructure/pgmq/queue.ts'
import { createCommandQueries } from './infrastructure/postgres/command-queries.ts'
import { isConnectionError, isUnavailable, toPublicError } from './infrastructure/postgres/errors.ts'
import { createInvestigationQueries } from './infrastructure/postgres/investigation.ts'
import { assertSchemaCurrent } from './infrastructure/postgres/migrate.ts'
import { apartFrom, clientLike, createPool } from './infrastructure/postgres/pool.ts'
import { type RebuildProgress, type Rebuilt, rebuildCommands } from './infrastructure/postgres/rebuild.ts'
import { createStats } from './infrastructure/postgres/stats.ts'
import { type Drift, verifyCommands } from './infrastructure/postgres/verify.ts'
import { type Verified, type VerifyOptions, verifyLog } from './infrastructure/proof/verify.ts'
import { createChildRehearsals } from './infrastructure/rehearsal/child.ts'
import { createRehearsals } from './infrastructure/rehearsal/in-process.ts'
import { knownHandlers } from './infrastructure/rehearsal/known-handlers.ts'
import type { RehearsalProcess } from './infrastructure/service/bus.ts'
import { derivedId, uuidIds } from './infrastructure/uuid-ids.ts'
import type { Handler } from './infrastructure/worker/handler.ts'
import { createWorker, type Worker, type WorkerOptions } from './infrastructure/worker/worker.ts'
import { createWorkflows, type WorkflowOptions } from './infrastructure/workflows.ts'
import { busProjections } from './projections/bus-projections.ts'
import { outbox } from './projections/outbox.ts'

export type { BulkActionOptions } from './application/action-input.ts'
export {
  ActionNotFoundError,
  type ActionView,
  type GetActionOptions,
  type StopActionOptions,
} from './application/bulk-action.ts'
export type { Caller } from './application/caller.ts'
export { BusinessRuleError, PermanentCommandError, TransientCommandError } from './application/command-errors.ts'
export type { CreditBalance, GrantCredits } from './application/credits.ts'
export type { CommandPlan } from './application/dry-run.ts'
export type { ActionPlan } from './application/dry-run-action.ts'
export {
  CommandBusError,
  CommandNotFoundError,
  DuplicateCommandError,
  ForbiddenError,
  HandlerAlreadyRegisteredError,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
  UnavailableError,
} from './application/errors.ts'
export type {
  CausalNode,
  CausalTree,
  ParkedAtOptions,
  ParkedAtPage,
  ParkedThenItem,
} from './application/investigate.ts'
export type {
  CancelOptions,
  OperatorCancelOptions,
  OperatorCompleteOptions,
  OperatorRetryOptions,
} from './application/operate-command.ts'
export {
  type Operation,
  type OperationFilter,
  OperationNotFoundError,
  OperationNotRetriableError,
  type Owner,
  type StartOperation,
} from './application/operations.ts'
export type { Identity, Role } from './application/ports/authorization.ts'
export type {
  AuditEntry,
  CommandDetail,
  CommandFilter,
  CommandView,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from './application/ports/command-queries.ts'
export type { Log } from './application/ports/log.ts'
export type { Telemetry } from './application/ports/telemetry.ts'
export type {
  CreditEntry,
  PerFileResult,
  RunFilter,
  TemplateFilter,
  WorkflowRun,
  WorkflowTemplate,
} from './application/ports/workflow-queries.ts'
export type { CommandHistory, Comparison, HistoryOptions, MomentView } from './application/read-history.ts'
export type { Rehearsal, RehearsalOutcome, RehearseOptions } from './application/rehearse-command.ts'
export {
  AlreadyRunningError,
  InsufficientCreditsError,
  RunNotFoundError,
  RunNotRetriableError,
  TemplateNotFoundError,
} from './application/run-errors.ts'
export type { BatchResult, CommandToSend, RetryOptions, SentCommand } from './application/send-command.ts'
export type { RetryPreview, Starter, StartRun } from './application/workflow-runs.ts'
export type { Asker, NewTemplate } from './application/workflow-templates.ts'
export type { Json } from './domain/command/events.ts'
export type { CommandSnapshot, HistoryStep, Moment } from './domain/command/history.ts'
export type { CommandStatus } from './domain/command/transitions.ts'
export type { Change } from './domain/json-diff.ts'
export type { CatchUpHealth, CatchUpState } from './infrastructure/eventstoredb/catch-up-health.ts'
export type { AwaitedEvent, Dispatched, WaitOptions } from './infrastructure/eventstoredb/waiting.ts'
export type { Follower } from './infrastructure/open-log.ts'
export type { RebuildProgress, Rebuilt } from './infrastructure/postgres/rebuild.ts'
export type { Drift } from './infrastructure/postgres/verify.ts'
export type { Finding, KnownSeal, Verified, VerifyOptions } from './infrastructure/proof/verify.ts'
export type { MapError, MappedError } from './infrastructure/worker/failures.ts'
export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerDefinition,
} from './infrastructure/worker/handler.ts'
export type { Health } from './infrastructure/worker/health.ts'
export type { StopOptions, Worker, WorkerOptions } from './infrastructure/worker/worker.ts'
export type { WorkflowOptions } from './infrastructure/workflows.ts'

export interface CommandBusOptions {
  /** `postgres://...` of a database that `commandbus migrate` has prepared. Or give `pool`. */
  readonly databaseUrl?: string
  /** A pool of yours; `close` leaves it open. Its settings are used for further connections too. */
  readonly pool?: Pool
  /**
   * `esdb://...`: the log is in EventStoreDB, one for the whole process, and PostgreSQL keeps rows and queues. Default:
   * the log is in PostgreSQL. See docs/eventstoredb.md for what differs.
   */
  readonly eventStoreUrl?: string
  /**
   * With `eventStoreUrl`: how long a call that changes something waits until row and message are there, in milliseconds.
   * One that takes longer succeeds all the same. Default 0: it does not wait, and tells no message id.
   */
  readonly waitForDispatchMs?: number
  /** Connections of the bus's own pool. Default 10. */
  readonly maxConnections?: number
  /** Retry policies by command type, for senders that name none. */
  readonly policies?: { readonly [commandType: string]: RetryOptions }
  /** What becomes of the message of a completed command: `delete` (default) or `archive`. */
  readonly onSuccess?: 'delete' | 'archive'
  /** How often a failed operation and its children may be retried by hand, one after the other. Default 20. */
  readonly maxOperationRetries?: number
  /**
   * Handlers by domain and command type, to rehearse with and to check edited payloads by. Those of this bus's own workers
   * are known anyway.
   */
  readonly handlers?: { readonly [domain: string]: { readonly [commandType: string]: Handler } }
  /** Rehearse in processes of their own, started with this command; for the program `commandbus`. */
  readonly rehearsals?: RehearsalProcess
  /** Where and how often the files of workflow runs are worked on. */
  readonly workflows?: WorkflowOptions
  /** A pino logger, for instance. Default: silence. */
  readonly log?: Log
  /** Gets told what is sent and worked on, for metrics and traces. Default: nobody is told. */
  readonly telemetry?: Telemetry
  /** For tests. */
  readonly clock?: Clock
  /** For tests: other limits than the usual ones. */
  readonly eventStoreLimits?: NonNullable<EventStoreDbLogOptions['limits']>
}

export type SendOptions = Omit<CommandToSend, 'commandType' | 'data'> & JoinOptions

export interface JoinOptions {
  /** A connected `pg` client: the command is sent in its transaction, and commits or rolls back with it. */
  readonly client?: ClientBase
}

/** Every promise rejects with a CommandBusError for what a caller can mend: see its `code`. */
export interface CommandBus {
  /** Checks that the database can be reached and its schema is the one this version knows. */
  readonly ready: () => Promise<void>
  /** Sends a command. @throws DuplicateCommandError, InvalidInputError */
  readonly send: (domain: string, commandType: string, data: unknown, options?: SendOptions) => Promise<SentCommand>
  /** Sends up to 10,000 commands of a domain in a few statements; duplicates are reported, not thrown. */
  readonly sendBatch: (
    domain: string,
    commands: readonly CommandToSend[],
    options?: JoinOptions,
  ) => Promise<readonly BatchResult[]>
  /** The command, or null. */
  readonly getCommand: (domain: string, commandId: string) => Promise<CommandDetail | null>
  /** Commands with this id in any domain. */
  readonly findCommand: (commandId: string) => Promise<readonly CommandDetail[]>
  /** All filters combine; newest first, in pages. */
  readonly queryCommands: (filter?: CommandFilter) => Promise<Page<CommandView>>
  /** What happened to a command, oldest first; empty for an unknown id. */
  readonly getAuditTrail: (domain: string, commandId: string) => Promise<readonly AuditEntry[]>
  /**
   * What each event made of a command: its state after it, and what changed. Ends at a revision or an instant with `at`;
   * compares two moments with `from` and `to`. @throws CommandNotFoundError
   */
  readonly getHistory: (domain: string, commandId: string, options?: HistoryOptions) => Promise<CommandHistory>
  /** Everything with a correlation id, and what caused what: a tree, each after what it came from. At most 1,000. */
  readonly getCorrelation: (correlationId: string, options?: { readonly tenantId?: string }) => Promise<CausalTree>
  /** The sender's cancel, while the command is PENDING. @throws CommandNotFoundError, InvalidOperationError */
  readonly cancel: (
    domain: string,
    commandId: string,
    options?: CancelOptions,
  ) => Promise<{ readonly commandId: string; readonly status: 'CANCELED' }>
  readonly troubleshooting: {
    /** What is parked, newest first. Of all domains when `domain` is left out. */
    readonly list: (filter?: TroubleshootingFilter) => Promise<Page<TroubleshootingItem> & { readonly total: number }>
    /** What was parked at an instant (now, when it is left out), as it stood then; from the log. */
    readonly listAt: (options?: ParkedAtOptions) => Promise<ParkedAtPage>
    /** What is parked, by domain, type and error code. */
    readonly groups: (
      filter?: Omit<TroubleshootingFilter, 'limit' | 'cursor'>,
    ) => Promise<readonly TroubleshootingGroup[]>
    /** Sends the original (or an edited) payload again. @throws CommandNotFoundError, InvalidOperationError */
    readonly retry: (
      domain: string,
      commandId: string,
      options: OperatorRetryOptions,
    ) => Promise<{
      readonly commandId: string
      readonly status: 'PENDING'
      readonly msgId: string | null
      readonly dryRun?: CommandPlan
    }>
    readonly cancel: (
      domain: string,
      commandId: string,
      options: OperatorCancelOptions,
    ) => Promise<{ readonly commandId: string; readonly status: 'CANCELED'; readonly dryRun?: CommandPlan }>
    /**
     * Runs the registered handler on a parked command, or on an edited payload, in a transaction that is rolled back: what
     * would a retry do? Handlers of this bus's workers, and of its option `handlers`, run in this process: one that takes
     * it down takes it down. @throws CommandNotFoundError, InvalidOperationError (not parked, or not to be rehearsed)
     */
    readonly rehearse: (domain: string, commandId: string, options?: RehearseOptions) => Promise<Rehearsal>
    readonly complete: (
      domain: string,
      commandId: string,
      options: OperatorCompleteOptions,
    ) => Promise<{ readonly commandId: string; readonly status: 'COMPLETED'; readonly dryRun?: CommandPlan }>
  }
  /** Operations: commands of domain `operations` that belong to a user, with automatic retry and a retry by hand. */
  readonly operations: {
    readonly start: (owner: Owner, start: StartOperation) => Promise<Operation>
    /** @throws OperationNotFoundError, ForbiddenError */
    readonly get: (owner: Owner, id: string) => Promise<Operation>
    readonly list: (owner: Owner, filter?: OperationFilter) => Promise<Page<Operation>>
    /** A new operation for a failed one; twice gives the same. @throws OperationNotRetriableError too */
    readonly retry: (owner: Owner, id: string) => Promise<Operation>
  }
  /** The bus as an identity may use it: permissions checked, within its tenant, its subject in the audit. */
  readonly as: (identity: Identity) => Caller
  /** Actions on many parked commands at once. `run` carries them out, in any number of processes. */
  readonly actions: Pick<Actions, 'start' | 'get' | 'list' | 'stop' | 'run' | 'runOne'> & {
    /** What an action would do, by the same decisions, and nothing done. */
    readonly dryRun: (options: BulkActionOptions) => Promise<ActionPlan>
  }
  /**
   * Workflow runs: many files, each a command of domain `workflow`, paid with credits, continued where they failed.
   * `run` notes how the files end; one process of the fleet does, the others stand by.
   */
  readonly runs: WorkflowCalls & { readonly run: (signal?: AbortSignal) => Promise<void> }
  /** What tenants pay runs with: a ledger with a monthly and a purchased pool. */
  readonly credits: Credits
  readonly maintenance: {
    /** Writes the read table anew from the log while the bus serves; sends nothing. */
    readonly rebuild: (options?: { readonly onProgress?: (progress: RebuildProgress) => void }) => Promise<Rebuilt>
    /** Compares every column of every read row with the log; empty when all is well. */
    readonly verify: (options?: { readonly limit?: number }) => Promise<readonly Drift[]>
    /** Checks the hash chain of the log, its seals, every row and every message; changes nothing. */
    readonly verifyLog: (options?: VerifyOptions) => Promise<Verified>
  }
  /** With `eventStoreUrl`: what brings the log to PostgreSQL. Null without: rows and messages go with the events. */
  readonly follower: Follower | null
  /** Makes a worker; `start` it. `close` stops it too. */
  readonly worker: (options: WorkerOptions) => Worker
  /** Stops workers gracefully, then ends the connections. */
  readonly close: () => Promise<void>
}

const SENDS_A_STATEMENT = 500
const SENDING_CONNECTIONS = 4

/** A command bus on PostgreSQL and pgmq. Nothing is connected before the first call. */
export const createCommandBus = (options: CommandBusOptions): CommandBus => {
  const pool = options.pool ?? createPool(requireUrl(options.databaseUrl), options.maxConnections ?? 10)
  const heartbeatPool = apartFrom(pool)
  const log = options.log ?? silentLog
  const clock = options.clock ?? systemClock
  const telemetry = options.telemetry ?? silentTelemetry
  const ids = uuidIds
  const localBell = new EventEmitter().setMaxListeners(0)
  const doorbell = createDoorbell(pool, localBell)
  const catalog = createQueueCatalog(pool)
  const {
    store: wholeStore,
    follower,
    ...commandLog
  } = openLog({
    eventStoreUrl: options.eventStoreUrl,
    pool,
    newClient: () => clientLike(pool),
    projections: busProjections({ onSuccess: options.onSuccess ?? 'delete' }),
    ensureQueues: catalog.ensure,
    onFilled: queues => doorbell.ring([...queues]),
    log,
    limits: options.eventStoreLimits,
  })
  const store = commandsOf(wholeStore)
  const transactNow = createTransactCommands(store, ids)
  const waitMs = options.waitForDispatchMs ?? 0
  // senders and operators read what they have written; workers have no time to wait
  const dispatched =
    follower === null || waitMs <= 0 ? transactNow : awaitingDispatch(transactNow, follower.waitFor, waitMs)
  // callers of `as` come without having asked for readiness, and the log may not be followed yet
  const transact: typeof transactNow =
    follower === null ? transactNow : async (...turns) => ready().then(() => dispatched(...turns))
  const queries = createCommandQueries(pool)
  const reader = createCommandReader(queries)
  const history = readHistory(store)
  const investigations = createInvestigationQueries(pool)
  const parkedAt = readParkedAt({ queries: investigations, store, clock })
  const correlation = readCorrelation(investigations)
  const policies = new Map(Object.entries(options.policies ?? {}))
  const workers = new Set<Worker>()
  const handlersOf = knownHandlers(options.handlers ?? {})

  let checked: Promise<void> | null = null
  let closed: Promise<void> | null = null
  const ready = (): Promise<void> => {
    checked ??= assertSchemaCurrent(pool)
      .then(commandLog.begin)
      .catch(error => {
        checked = null
        throw error
      })
    return checked
  }

  const sendDeps = { transact, clock, ids, policies, telemetry }
  const prepare = prepareSend(sendDeps)
  const sendMany = sendPrepared(transact)
  const sendAlone = async (prepared: PreparedSend): Promise<SendOutcome> =>
    (await sendMany([prepared]))[0] as SendOutcome
  // where each append is a request of its own, callers gain nothing by waiting for each other
  const sendNow = !store.capabilities.inlineProjections
    ? sendAlone
    : coalesce<PreparedSend, SendOutcome>({
        maxBatch: SENDS_A_STATEMENT,
        maxRuns: SENDING_CONNECTIONS,
        run: prepared => sendMany(prepared),
        isShared: isUnavailable,
      })

  const watched = watchSend(telemetry)
  const sendOne = async (prepared: PreparedSend, client?: ClientBase): Promise<SendOutcome> => {
    const [outcome] = await watched([prepared], async ready =>
      client === undefined ? [await sendNow(ready[0] as PreparedSend)] : sendMany(ready, client),
    )
    return outcome as SendOutcome
  }

  const send: CommandBus['send'] = async (domain, commandType, data, { client, ...rest } = {}) =>
    acceptedOrThrow(domain, await sendOne(prepare(domain, { ...rest, commandType, data }), client))

  /** Every call waits for the schema check, and fails in our words. */
  const guarded =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        await ready()
        return await call(...args)
      } catch (error) {
        throw toPublicError(error)
      }
    }

  const rehearsals =
    options.rehearsals === undefined
      ? createRehearsals({ pool, handlersOf: handlersOf.of, log })
      : createChildRehearsals({ ...options.rehearsals, pool, databaseUrl: requireUrl(options.databaseUrl) })
  const rehearse = rehearseCommand({ store, rehearsals, clock })
  const plan = planTurns(store, ids, outbox({ onSuccess: options.onSuccess ?? 'delete' }))
  const operate = { transact, clock, plan, faultsOf: payloadFaults({ store, rehearsals }) }
  const dryRun = dryRunAction({ plan, queries, clock })
  const live = createPostgresLiveEvents(pool, { log })
  const stats = createStats(pool)
  const actions = createActions({
    pool,
    transact: transactNow,
    ...(store.capabilities.inlineProjections ? {} : { apart: apartFromMarks(store) }),
    clock,
    ids,
    log,
    onFilled: queues => doorbell.ring([...queues]),
  })
  const operations = createOperations({
    queries,
    send: async (domain, command) => sendOne(prepare(domain, command)),
    derivedId,
    log,
    ...(options.maxOperationRetries === undefined ? {} : { maxRetries: options.maxOperationRetries }),
  })
  const isAway = (error: unknown): boolean => isConnectionError(error) || commandLog.isAway(error)
  const workflows = createWorkflows({
    pool,
    newClient: () => clientLike(pool),
    store: wholeStore,
    clock,
    ids,
    derivedId,
    log,
    isAway: error => isAway(error) || isUnavailable(error),
    ...(options.workflows === undefined ? {} : { options: options.workflows }),
  })
  const runs: WorkflowCalls = {
    createTemplate: guarded(workflows.templates.create),
    editTemplate: guarded(workflows.templates.edit),
    archiveTemplate: guarded(workflows.templates.archive),
    listTemplates: guarded(workflows.templates.list),
    initiate: guarded(workflows.runs.initiate),
    get: guarded(workflows.runs.get),
    list: guarded(workflows.runs.list),
    cancel: guarded(workflows.runs.cancel),
    previewRetry: guarded(workflows.runs.previewRetry),
    retryFailed: guarded(workflows.runs.retryFailed),
  }
  const credits: Credits = {
    balance: guarded(workflows.credits.balance),
    entries: guarded(workflows.credits.entries),
    grant: guarded(workflows.credits.grant),
  }
  const callerDeps: CallerDeps = {
    ...operate,
    authorization: roleAuthorization,
    reader,
    history,
    parkedAt,
    correlation,
    rehearse,
    dryRun,
    send: (domain, { commandType, data, ...rest }) => send(domain, commandType, data, rest),
    sendBatch: sendBatch(sendDeps),
    operations,
    actions,
    subscribe: live.subscribe,
    stats,
    runs,
    credits,
    log,
  }
  return {
    ready: guarded(async () => {}),
    send: guarded(send),
    sendBatch: guarded((domain, commands, { client } = {}) => sendBatch(sendDeps)(domain, commands, client)),
    getCommand: guarded(reader.get),
    findCommand: guarded(reader.find),
    queryCommands: guarded(reader.list),
    getAuditTrail: guarded(reader.auditTrail),
    getHistory: guarded(history),
    getCorrelation: guarded(correlation),
    cancel: guarded(cancelCommand(operate)),
    troubleshooting: {
      list: guarded(reader.parked),
      listAt: guarded(parkedAt),
      groups: guarded(reader.parkedGroups),
      retry: guarded(operatorRetry(operate)),
      cancel: guarded(operatorCancel(operate)),
      complete: guarded(operatorComplete(operate)),
      rehearse: guarded(rehearse),
    },
    operations: {
      start: guarded(operations.start),
      get: guarded(operations.get),
      list: guarded(operations.list),
      retry: guarded(operations.retry),
    },
    actions: {
      start: guarded(actions.start),
      get: guarded(actions.get),
      list: guarded(actions.list),
      stop: guarded(actions.stop),
      run: guarded(actions.run),
      runOne: guarded(actions.runOne),
      dryRun: guarded(dryRun),
    },
    runs: { ...runs, run: guarded(workflows.runner.run) },
    credits,
    maintenance: {
      rebuild: guarded((given = {}) => rebuildCommands({ pool, ...given })),
      verify: guarded((given = {}) => verifyCommands({ pool, ...given })),
      verifyLog: guarded((given = {}) => verifyLog(pool, given)),
    },
    as: identity => createCaller(callerDeps, identity),
    follower,
    worker: workerOptions => {
      const worker = createWorker(
        {
          store,
          transact: transactNow,
          queue: createPgmqQueue(pool, catalog),
          heartbeatQueue: createPgmqQueue(heartbeatPool, catalog),
          pool,
          newClient: () => clientLike(pool),
          localBell,
          clock,
          ids,
          log,
          telemetry,
          isAway,
        },
        workerOptions,
      )
      workers.add(worker)
      handlersOf.add(workerOptions.domain, worker)
      return { ...worker, start: guarded(worker.start) }
    },
    close: () => {
      closed ??= (async () => {
        await Promise.all([
          ...[...workers].map(worker => worker.stop()),
          actions.close(),
          workflows.runner.close(),
          live.stop(),
        ])
        await commandLog.close()
        await doorbell.stop()
        await heartbeatPool.end()
        if (options.pool === undefined) await pool.end()
      })()
      return closed
    },
  }
}

/** How bulk actions recognise what they have done where the log is not in their database. */
const apartFromMarks = (store: Pick<EventStore<CommandEvent>, 'readStream'>): ApartFromMarks => ({
  eventIdOf: (actionId, ordinal) => derivedId(`bulk action ${actionId} item ${ordinal}`),
  idAt: async (stream, revision) => (await store.readStream(stream, revision))[0]?.id ?? null,
})

const requireUrl = (databaseUrl: string | undefined): string => {
  if (databaseUrl === undefined || !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new InvalidInputError(
      'databaseUrl',
      'must be a connection string that begins with postgres://, or give a pool',
    )
  }
  return databaseUrl
}
