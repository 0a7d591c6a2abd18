import { EventEmitter } from 'node:events'
import type { ClientBase, Pool } from 'pg'
import { type CallerDeps, createCaller } from '../application/access/caller.ts'
import { replyQueuesOf } from '../application/access/reply-queues.ts'
import { roleAuthorization } from '../application/access/roles.ts'
import { awaitingDispatch } from '../application/commands/await-dispatch.ts'
import { commandsOf } from '../application/commands/commands-of.ts'
import { createSender } from '../application/commands/sender.ts'
import { createTransactCommands } from '../application/commands/transact-commands.ts'
import { createUndeliveredReplies } from '../application/commands/undelivered-replies.ts'
import { createOperations } from '../application/operations/operations.ts'
import { systemClock } from '../application/ports/clock.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import { silentLog } from '../application/ports/log.ts'
import { silentTelemetry } from '../application/ports/telemetry.ts'
import type { Credits } from '../application/runs/credits.ts'
import { WORKFLOW_DOMAIN } from '../application/runs/run-jobs.ts'
import type { WorkflowCalls } from '../application/runs/workflow-calls.ts'
import { InvalidInputError, UnavailableError } from '../application/shared/errors.ts'
import { wholeOf } from '../application/shared/input.ts'
import type { ApartFromMarks } from '../application/troubleshooting/action-turns.ts'
import { cancelCommand, createOperatorCalls } from '../application/troubleshooting/operate-command.ts'
import { payloadFaults, rehearseCommand } from '../application/troubleshooting/rehearse-command.ts'
import type { CommandBus, CommandBusOptions } from '../command-bus.ts'
import type { CommandEvent } from '../domain/command/events.ts'
import { OPERATIONS_DOMAIN } from '../domain/operation/policy.ts'
import { createPostgresLiveEvents } from '../infrastructure/live/postgres-live-events.ts'
import { databaseUntil, sessionOn } from '../infrastructure/postgres/connection/database.ts'
import {
  isInDoubt,
  isOutage,
  isUnavailable,
  isUndone,
  toPublicError,
} from '../infrastructure/postgres/connection/errors.ts'
import { POOLED_TRANSACTIONS } from '../infrastructure/postgres/connection/pooling.ts'
import {
  isTimeout,
  timeoutForm,
  USUAL_READ_TIMEOUT_MS,
  USUAL_TIMEOUT_MS,
} from '../infrastructure/postgres/connection/time-limit.ts'
import { assertOwnCluster } from '../infrastructure/postgres/log/own-cluster.ts'
import { createDoorbell } from '../infrastructure/postgres/queue/doorbell.ts'
import { createPgmqQueue, createQueueCatalog } from '../infrastructure/postgres/queue/queue.ts'
import { createQueueLimit, usualQueueLimits } from '../infrastructure/postgres/queue/queue-limit.ts'
import { createReplyQueues } from '../infrastructure/postgres/queue/reply-queues.ts'
import { rebuildCommands } from '../infrastructure/postgres/read-tables/rebuild.ts'
import { verifyCommands } from '../infrastructure/postgres/read-tables/verify.ts'
import { createStats } from '../infrastructure/postgres/reading/stats.ts'
import { createUndeliveredStore } from '../infrastructure/postgres/reading/undelivered.ts'
import { assertSchemaCurrent } from '../infrastructure/postgres/schema/schema-version.ts'
import {
  apartFrom,
  clientLike,
  createPool,
  listenerLike,
  poolingOf,
  userPool,
} from '../infrastructure/postgres/transactions/pool.ts'
import { verifyLog } from '../infrastructure/proof/verification/verify.ts'
import { createChildRehearsals } from '../infrastructure/rehearsal/child.ts'
import { createRehearsals } from '../infrastructure/rehearsal/in-process.ts'
import { knownHandlers } from '../infrastructure/rehearsal/known-handlers.ts'
import { type Actions, createActions } from '../infrastructure/runners/bulk-actions.ts'
import { derivedId, uuidIds } from '../infrastructure/shared/uuid-ids.ts'
import { createHandlerConnections } from '../infrastructure/worker/attempt/connections.ts'
import { LONGEST_ANSWER_MS } from '../infrastructure/worker/heartbeat.ts'
import { createWorker } from '../infrastructure/worker/worker.ts'
import type { Worker } from '../infrastructure/worker/worker-api.ts'
import { busProjections } from '../projections/bus-projections.ts'
import { openLog } from './open-log.ts'
import { createReads } from './reads.ts'
import { createWorkflows, type Workflows } from './workflows.ts'

/** Enough for a worker's reads and reports; see docs/production.md for all that a process opens. */
const WORKER_CONNECTIONS = 4
/** For reads that must not stand in the way of anything else. */
const READ_CONNECTIONS = 4

/** A command bus on PostgreSQL and pgmq. Nothing is connected before the first call. */
export const createCommandBus = (options: CommandBusOptions): CommandBus => {
  if (typeof options !== 'object' || options === null)
    throw new InvalidInputError('options', 'say where the database is, as in { databaseUrl }')
  const timeoutMs = timeoutOf('databaseTimeoutMs', USUAL_TIMEOUT_MS, options.databaseTimeoutMs)
  const readTimeoutMs = timeoutOf('readTimeoutMs', USUAL_READ_TIMEOUT_MS, options.readTimeoutMs)
  const given = options.pool === undefined ? null : userPool(options.pool, timeoutMs)
  const pool =
    given?.pool ??
    createPool(requireUrl(options.databaseUrl), wholeOf(options.maxConnections ?? 10, 'maxConnections', 1), timeoutMs)
  // callers and handlers hold connections of `pool` while they wait for what these do, so these wait for nothing
  const workerPool = apartFrom(pool, WORKER_CONNECTIONS)
  // its connection stays open while nothing is done with it: another may be refused when it is needed
  const heartbeatPool = apartFrom(
    pool,
    1,
    { idleTimeoutMillis: 0, maxLifetimeSeconds: 0 },
    Math.min(LONGEST_ANSWER_MS, timeoutMs),
  )
  // whatever reads for callers of HTTP holds up nobody who sends
  const readPool = apartFrom(pool, READ_CONNECTIONS, {}, Math.min(readTimeoutMs, timeoutMs))
  const log = options.log ?? silentLog
  const clock = options.clock ?? systemClock
  const telemetry = options.telemetry ?? silentTelemetry
  const ids = uuidIds
  const onSuccess = options.onSuccess ?? 'delete'
  const localBell = new EventEmitter().setMaxListeners(0)
  const doorbell = createDoorbell(pool, localBell)
  const catalog = createQueueCatalog(workerPool)
  const replyQueues = createReplyQueues(catalog)
  const admit = createQueueLimit(workerPool, catalog, {
    most: wholeOf(options.maxQueues ?? usualQueueLimits.most, 'maxQueues', 0),
    perHour: wholeOf(options.newQueuesPerHour ?? usualQueueLimits.perHour, 'newQueuesPerHour', 0),
  })
  const {
    store: wholeStore,
    workerStore: wholeWorkerStore,
    storeOn,
    follower,
    ...commandLog
  } = openLog({
    eventStoreUrl: options.eventStoreUrl,
    eventStorePrefix: options.eventStorePrefix,
    pool,
    workerPool,
    newClient: () => clientLike(pool),
    projections: busProjections({ onSuccess }),
    ensureQueues: catalog.ensure,
    replyQueues,
    queuesAwaited: catalog.awaited,
    onFilled: queues => doorbell.ring([...queues]),
    log,
    limits: options.eventStoreLimits,
  })
  const store = commandsOf(wholeStore)
  const transactNow = createTransactCommands(store, ids)
  const workerStore = commandsOf(wholeWorkerStore)
  const workerTransact = createTransactCommands(workerStore, ids)
  const connections = createHandlerConnections(pool)
  const waitMs = options.waitForDispatchMs ?? 0
  // senders and operators read what they have written; workers have no time to wait
  const dispatched =
    follower === null || waitMs <= 0 ? transactNow : awaitingDispatch(transactNow, follower.waitFor, waitMs)
  // callers of `as` come without having asked for readiness, and the log may not be followed yet
  const transact: typeof transactNow =
    follower === null ? transactNow : async (...turns) => ready().then(() => dispatched(...turns))
  const reads = createReads({ pool, store: wholeStore, clock, ids, onSuccess })
  const { queries, reader, history, parkedAt, correlation, plan, dryRun } = reads
  const policies = new Map(Object.entries(options.policies ?? {}))
  const workers = new Set<Worker>()
  const handlersOf = knownHandlers(options.handlers ?? {})

  let checked: Promise<void> | null = null
  let closed: Promise<void> | null = null
  let gone = false
  const ready = (): Promise<void> => {
    checked ??= poolingOf(pool)
      .then(pooling => {
        if (pooling === 'transaction') log.info({}, POOLED_TRANSACTIONS)
        return assertSchemaCurrent(pool)
      })
      .then(() => assertOwnCluster(pool))
      .then(commandLog.begin)
      .catch(error => {
        checked = null
        throw error
      })
    return checked
  }

  const sender = createSender({
    transact,
    clock,
    ids,
    policies,
    telemetry,
    makeReplyQueues: (queues, within) => replyQueues.make(queues, within as ClientBase | undefined),
    admit,
    toPublicError,
    isUndone: error => store.capabilities.inlineProjections && isUndone(error),
    share: store.capabilities.inlineProjections ? { isShared: isUnavailable, patienceMs: timeoutMs } : null,
    whyInDoubt: error => (isInDoubt(error) || commandLog.isAway(error) ? toPublicError(error).message : null),
  })

  /** Every call waits for the schema check, and fails in our words. */
  const guarded =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (gone)
        throw new UnavailableError('this bus was closed: await what is under way before `close`, or make another')
      try {
        await ready()
        return await call(...args)
      } catch (error) {
        throw toPublicError(error)
      }
    }
  const guardedAll = <Calls extends { readonly [K in keyof Calls]: (...args: never[]) => Promise<unknown> }>(
    calls: Calls,
  ): Calls =>
    Object.fromEntries(
      Object.entries<(...args: never[]) => Promise<unknown>>(calls).map(([name, call]) => [name, guarded(call)]),
    ) as unknown as Calls

  const rehearsals =
    options.rehearsals === undefined
      ? createRehearsals({ pool, handlersOf: handlersOf.of, log })
      : createChildRehearsals({ ...options.rehearsals, pool, databaseUrl: requireUrl(options.databaseUrl) })
  const rehearse = rehearseCommand({ store, rehearsals, clock })
  const operate = { transact, clock, log, plan, faultsOf: payloadFaults({ store, rehearsals }) }
  const live = createPostgresLiveEvents(readPool, { log })
  const stats = createStats(readPool)
  const actionsDeps = {
    transact: transactNow,
    ...(store.capabilities.inlineProjections ? {} : { apart: apartFromMarks(store) }),
    clock,
    ids,
    log,
    onFilled: (queues: ReadonlySet<string>) => doorbell.ring([...queues]),
  }
  const actions = createActions({ ...actionsDeps, pool })
  const operationsDeps = {
    send: sender.one,
    derivedId,
    clock,
    log,
    ...(options.maxOperationRetries === undefined ? {} : { maxRetries: options.maxOperationRetries }),
  }
  const operations = createOperations({ ...operationsDeps, queries })
  const isAway = (error: unknown): boolean => isOutage(error) || commandLog.isAway(error)
  const workflowsDeps = {
    newClient: () => clientLike(pool),
    clock,
    ids,
    derivedId,
    log,
    isAway: (error: unknown) => isAway(error) || isUnavailable(error),
    ...(options.workflows === undefined ? {} : { options: options.workflows }),
  }
  const workflows = createWorkflows({ ...workflowsDeps, pool, store: wholeStore })
  const runs = guardedAll(workflowCallsOf(workflows))
  const credits: Credits = guardedAll(workflows.credits)
  const calls = guardedAll({
    history,
    parkedAt,
    correlation,
    rehearse,
    dryRun,
    send: sender.send,
    sendBatch: sender.batch,
    subscribe: live.subscribe,
  })
  const parked = guardedAll({ list: reader.parked, groups: reader.parkedGroups })
  const repliesOn = (on: Pool) =>
    guardedAll(
      createUndeliveredReplies(
        createUndeliveredStore(on, queues => doorbell.ring([...queues])),
        log,
      ),
    )
  const callerDeps: CallerDeps = {
    ...operate,
    ...calls,
    transact: guarded(transact),
    authorization: roleAuthorization,
    reservedDomains: new Map([
      [OPERATIONS_DOMAIN, 'start operations'],
      [options.workflows?.domain ?? WORKFLOW_DOMAIN, 'start workflow runs'],
    ]),
    mayReplyTo: replyQueuesOf(options.replyQueues),
    admit: guarded(async (queues: readonly string[], caller: string | null) => admit(queues, caller) ?? undefined),
    reader: guardedAll(reader),
    operations: guardedAll(operations),
    actions: guardedAll({ start: actions.start, get: actions.get, list: actions.list, stop: actions.stop }),
    stats: guardedAll({ read: stats.read }),
    replies: repliesOn(pool),
    runs,
    credits,
    log,
  }
  /** What a caller reads with until `signal` is aborted, on connections of `readPool`. */
  const readingUntil = (signal: AbortSignal): Partial<CallerDeps> => {
    const on = databaseUntil(readPool, signal)
    const store = storeOn(on)
    const { queries, reader, plan, ...calls } = createReads({ pool: on, store, clock, ids, onSuccess })
    const flows = createWorkflows({ ...workflowsDeps, pool: on, store })
    return {
      ...guardedAll(calls),
      plan,
      faultsOf: payloadFaults({ store: commandsOf(store), rehearsals }),
      reader: guardedAll(reader),
      replies: repliesOn(on),
      operations: guardedAll(createOperations({ ...operationsDeps, queries })),
      actions: guardedAll(callsOf(createActions({ ...actionsDeps, pool: on }))),
      runs: guardedAll(workflowCallsOf(flows)),
      credits: guardedAll(flows.credits),
    }
  }
  return {
    ready: guarded(async () => {}),
    send: (domain, commandType, data, { client, ...rest } = {}) =>
      calls.send(domain, { ...rest, commandType, data }, client && sessionOn(client, pool)),
    sendBatch: (domain, commands, { client } = {}) =>
      calls.sendBatch(domain, commands, client && sessionOn(client, pool)),
    getCommand: guarded(reader.get),
    findCommand: guarded(reader.find),
    queryCommands: guarded(reader.list),
    getAuditTrail: guarded(reader.auditTrail),
    getHistory: calls.history,
    getCorrelation: calls.correlation,
    cancel: guarded(cancelCommand(operate)),
    troubleshooting: {
      ...parked,
      listAt: calls.parkedAt,
      ...guardedAll({ ...createOperatorCalls(operate) }),
      rehearse: calls.rehearse,
    },
    replies: callerDeps.replies,
    operations: callerDeps.operations,
    actions: { ...guardedAll(callsOf(actions)), dryRun: calls.dryRun },
    runs: { ...runs, run: guarded(workflows.runner.run) },
    credits,
    maintenance: {
      rebuild: guarded((given = {}) => rebuildCommands({ pool, ...given })),
      verify: guarded((given = {}) => verifyCommands({ pool, ...given })),
      verifyLog: guarded((given = {}) => verifyLog(pool, given)),
    },
    as: (identity, reading) =>
      createCaller(reading === undefined ? callerDeps : { ...callerDeps, ...readingUntil(reading.signal) }, identity),
    follower,
    worker: workerOptions => {
      const worker = createWorker(
        {
          store: workerStore,
          transact: workerTransact,
          queue: createPgmqQueue(workerPool, catalog),
          heartbeatQueue: createPgmqQueue(heartbeatPool, catalog),
          connections,
          newListener: () => listenerLike(pool),
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
      const stop: Worker['stop'] = stopping => worker.stop(stopping).finally(() => workers.delete(worker))
      return { ...worker, start: guarded(worker.start), stop }
    },
    close: () => {
      closed ??= (async () => {
        await Promise.all([
          ...[...workers].map(worker => worker.stop()),
          actions.close(),
          workflows.runner.close(),
          live.stop(),
        ])
        // not before: handlers under way may send until they have ended
        gone = true
        await commandLog.close()
        await doorbell.stop()
        await Promise.all([heartbeatPool.end(), workerPool.end(), readPool.end()])
        if (given === null) await pool.end()
        else given.letGo()
      })()
      return closed
    },
  }
}

const callsOf = ({ start, get, list, stop, run, runOne }: Actions) => ({ start, get, list, stop, run, runOne })

const workflowCallsOf = ({ templates, runs }: Workflows): WorkflowCalls => ({
  createTemplate: templates.create,
  editTemplate: templates.edit,
  archiveTemplate: templates.archive,
  listTemplates: templates.list,
  ...runs,
})

/** How bulk actions recognise what they have done where the log is not in their database. */
const apartFromMarks = (store: Pick<EventStore<CommandEvent>, 'readStream'>): ApartFromMarks => ({
  eventIdOf: (actionId, ordinal) => derivedId(`bulk action ${actionId} item ${ordinal}`),
  idAt: async (stream, revision) => (await store.readStream(stream, revision))[0]?.id ?? null,
})

const timeoutOf = (name: 'databaseTimeoutMs' | 'readTimeoutMs', usual: number, given = usual): number => {
  if (isTimeout(given)) return given
  throw new InvalidInputError(name, `must be ${timeoutForm}, not ${given}; leave it out for ${usual}`)
}

const requireUrl = (databaseUrl: string | undefined): string => {
  if (typeof databaseUrl === 'string' && /^\s*postgres(ql)?:\/\//.test(databaseUrl)) return databaseUrl
  throw new InvalidInputError('databaseUrl', 'must be a connection string that begins with postgres://, or give a pool')
}
