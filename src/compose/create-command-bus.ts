import type { ClientBase } from 'pg'
import { createCaller } from '../application/access/caller.ts'
import type { CallerDeps } from '../application/access/calling.ts'
import { replyQueuesOf } from '../application/access/reply-queues.ts'
import { roleAuthorization } from '../application/access/roles.ts'
import { awaitingDispatch } from '../application/commands/await-dispatch.ts'
import { commandStoreOf } from '../application/commands/command-store.ts'
import { createSender } from '../application/commands/sender.ts'
import { createTransactCommands } from '../application/commands/transact-commands.ts'
import { takingDefinitions } from '../application/payloads/define-command.ts'
import { systemClock } from '../application/ports/clock.ts'
import { silentLog } from '../application/ports/log.ts'
import { silentTelemetry } from '../application/ports/telemetry.ts'
import { lateAfterOf, USUAL_LATE_SECONDS } from '../application/replies/owed-replies.ts'
import { createRequest, type Request, requestQueueOf } from '../application/replies/request.ts'
import { WORKFLOW_DOMAIN } from '../application/runs/run-jobs.ts'
import { type SensitivePath, sensitivePathOf, sensitivePathsOf } from '../application/sensitive/sensitive-paths.ts'
import { InvalidInputError } from '../application/shared/errors.ts'
import { defined } from '../application/shared/input.ts'
import { type AdopterDeps, createAdopter } from '../application/strangers/adopter.ts'
import { rehearseCommand } from '../application/troubleshooting/rehearse-command.ts'
import type { CommandBusOptions } from '../bus-options.ts'
import type { CommandBus, RequestCall, RequestOptions, SendOptions } from '../command-bus.ts'
import { OPERATIONS_DOMAIN } from '../domain/operation/policy.ts'
import { sessionOn } from '../infrastructure/postgres/connection/database.ts'
import {
  isInDoubt,
  isOutage,
  isUnavailable,
  isUndone,
  toPublicError,
} from '../infrastructure/postgres/connection/errors.ts'
import { createPauseWatch } from '../infrastructure/postgres/flow/pause-watch.ts'
import { rebuildCommands } from '../infrastructure/postgres/read-tables/rebuild.ts'
import { verifyCommands } from '../infrastructure/postgres/read-tables/verify.ts'
import { createSensitivePaths } from '../infrastructure/postgres/sensitive/sensitive-store.ts'
import { clientLike } from '../infrastructure/postgres/transactions/pool.ts'
import { createBeats } from '../infrastructure/postgres/workers/beats.ts'
import { createChildRehearsals } from '../infrastructure/rehearsal/child.ts'
import { createRehearsals } from '../infrastructure/rehearsal/in-process.ts'
import { knownHandlers } from '../infrastructure/rehearsal/known-handlers.ts'
import { createExpiry } from '../infrastructure/runners/expiry.ts'
import { createFigureRunner } from '../infrastructure/runners/figures.ts'
import { derivedId, eventIds, uuidIds } from '../infrastructure/shared/uuid-ids.ts'
import { sensitiveOf } from '../infrastructure/worker/attempt/handler.ts'
import { busProjections } from '../projections/bus-projections.ts'
import { createBusCalls } from './bus-calls.ts'
import { openConnections, requireUrl } from './connections.ts'
import { openLog } from './open-log.ts'
import { openQueues } from './queues.ts'
import { createReadiness } from './readiness.ts'
import { createReads, openReplica } from './reads.ts'
import { openReplies } from './replies.ts'
import { createShutdown } from './shutdown.ts'
import { createWorkers } from './workers.ts'

/**
 * Makes a command bus on PostgreSQL and pgmq. It connects at the first call. @throws InvalidInputError
 * @example
 * const bus = createCommandBus({ databaseUrl: 'postgres://localhost/app' })
 * await bus.send('payments', 'Refund', { orderId: 'o-1' })
 * await bus.close()
 */
export const createCommandBus = (options: CommandBusOptions): CommandBus => {
  if (typeof options !== 'object' || options === null)
    throw new InvalidInputError('options', 'say where the database is, as in { databaseUrl }')
  const connections = openConnections(options)
  const { pool, workerPool } = connections
  const log = options.log ?? silentLog
  const replica = openReplica(connections, options, log)
  const clock = options.clock ?? systemClock
  const telemetry = options.telemetry ?? silentTelemetry
  const ids = uuidIds
  const onSuccess = options.onSuccess ?? 'delete'

  const { catalog, replyQueues, laneRules, admit, localBell, onFilled, stopDoorbell } = openQueues(connections, options)

  // the log, and the checks before the first call
  const newClient = () => clientLike(pool)
  const { store, workerStore, storeOn, follower, ...commandLog } = openLog({
    eventStoreUrl: options.eventStoreUrl,
    eventStorePrefix: options.eventStorePrefix,
    pool,
    workerPool,
    newClient,
    projections: busProjections({ onSuccess }),
    ensureQueues: catalog.ensure,
    replyQueues,
    queuesAwaited: catalog.awaited,
    onFilled,
    log,
    limits: options.eventStoreLimits,
  })
  const isAway = (error: unknown): boolean => isOutage(error) || commandLog.isAway(error)
  const sensitive = createSensitivePaths(pool)
  const declared = sensitivePathsOf(options.sensitive ?? {})
  const begin = async () => {
    await commandLog.begin()
    await replica?.begin()
    await sensitive.declare([...declared, ...sensitiveOf(options.handlers ?? {})])
  }
  const { ready, guarded, guardedAll, takeNoMore } = createReadiness({ pool, begin, log })

  // calls that change commands
  const transactNow = createTransactCommands(commandStoreOf(store), eventIds)
  const waitMs = options.waitForDispatchMs ?? 0
  // senders and operators wait to read what they have written; workers do not wait
  const dispatched =
    follower === null || waitMs <= 0 ? transactNow : awaitingDispatch(transactNow, follower.waitFor, waitMs)
  // callers of `as` may come before `ready`, when nothing follows the log yet
  const transact: typeof transactNow =
    follower === null ? transactNow : async (...turns) => ready().then(() => dispatched(...turns))
  const { inlineProjections } = store.capabilities
  const sending: Omit<AdopterDeps, 'transact' | 'derivedId'> = {
    clock,
    ids,
    policies: new Map(Object.entries(options.policies ?? {})),
    laneRules,
    makeReplyQueues: (queues, within) => replyQueues.make(queues, within as ClientBase | undefined),
    admit,
  }
  const sender = createSender({
    ...sending,
    transact,
    telemetry,
    toPublicError,
    isUndone: error => inlineProjections && isUndone(error),
    share: inlineProjections ? { isShared: isUnavailable, patienceMs: connections.timeoutMs } : null,
    whyInDoubt: error => (isInDoubt(error) || commandLog.isAway(error) ? toPublicError(error).message : null),
  })
  const { send, sendBatch } = guardedAll({ send: sender.send, sendBatch: sender.batch })

  const replies = openReplies({ connections, catalog, admit, localBell, guarded, log })
  const requestQueue = requestQueueOf(options.service)
  const request = guarded(
    createRequest({ send: sender.send, awaitReply: replies.awaitReply, ids, queue: requestQueue }),
  ) as Request

  // handlers, for workers and rehearsals
  const transactAsWorker = createTransactCommands(commandStoreOf(workerStore), eventIds)
  const expiry = createExpiry({ pool: workerPool, transact: transactAsWorker, log })
  const pauses = createPauseWatch({ lookPool: connections.heartbeatPool, pool: workerPool, log, onReleased: onFilled })
  const beats = createBeats({ pool: connections.heartbeatPool, log })
  const handlers = knownHandlers(options.handlers ?? {})
  const workers = createWorkers({
    store: commandStoreOf(workerStore),
    transact: transactAsWorker,
    adopter: createAdopter({ ...sending, transact: transactAsWorker, derivedId }),
    connections,
    catalog,
    localBell,
    pauses,
    beats,
    handlers,
    sensitive,
    clock,
    ids,
    log,
    telemetry,
    isAway,
    guarded,
    expiry,
  })
  const rehearsals =
    options.rehearsals === undefined
      ? createRehearsals({ pool, handlers, log, sensitive })
      : createChildRehearsals({ ...options.rehearsals, pool, databaseUrl: requireUrl(options.databaseUrl) })

  const figureRunner = createFigureRunner({ pool, newClient, log, limits: options.figures?.limits })

  // the calls of the bus, and those of `as`
  const callsOn = createBusCalls({
    workflows: options.workflows,
    laneRules,
    maxOperationRetries: options.maxOperationRetries,
    lateAfterSeconds: lateAfterOf(options.lateAfterSeconds ?? USUAL_LATE_SECONDS),
    transact,
    transactNow,
    send: sender.one,
    adopter: createAdopter({ ...sending, transact, derivedId }),
    sendBatch: sender.batch,
    ownClock: options.clock ?? null,
    scheduleLimits: options.schedules?.limits,
    alerting: options.alerts,
    sensitive: sensitive.known,
    rehearsals,
    rehearse: rehearseCommand({ store: commandStoreOf(store), rehearsals, clock }),
    onFilled,
    onSuccess,
    newClient,
    isAway: error => isAway(error) || isUnavailable(error),
    clock,
    ids,
    log,
    guardedAll,
    onPauses: pauses.lookAgain,
    ...(follower === null || waitMs <= 0
      ? {}
      : { written: event => follower.waitFor(event, { timeoutMs: waitMs, mayBeOld: true }) }),
  })
  const reads = createReads({ callsOn, storeOn, readPool: connections.readPool, replica, guardedAll, log })
  const { bus: own, actions, runner, scheduleRunner, alertRunner } = callsOn(pool, store, reads.figures)
  const { bus, stats } = reads.ofBus(own)
  const runActions = (signal?: AbortSignal) => expiry.during(() => actions.run(signal))
  const callerDeps: CallerDeps = {
    bus,
    stats,
    send,
    sendBatch,
    request,
    requestQueue,
    subscribe: guarded(reads.live.subscribe),
    authorization: roleAuthorization,
    reservedDomains: new Map([
      [OPERATIONS_DOMAIN, 'start operations'],
      [options.workflows?.domain ?? WORKFLOW_DOMAIN, 'start workflow runs'],
    ]),
    mayReplyTo: replyQueuesOf(options.replyQueues),
    admit: guarded(async (queues: readonly string[], caller: string | null) => admit(queues, caller) ?? undefined),
    log,
    sensitive: guardedAll({ known: sensitive.known }),
  }
  return {
    ...bus,
    ready: guarded(async () => {}),
    send: takingDefinitions((domain, commandType, data, { client, ...rest }: SendOptions = {}) =>
      send(domain, { ...rest, commandType, data }, client && sessionOn(client, pool)),
    ),
    sendBatch: (domain, commands, { client } = {}) => sendBatch(domain, commands, client && sessionOn(client, pool)),
    request: takingDefinitions((domain, commandType, data, { timeoutMs, signal, ...rest }: RequestOptions = {}) =>
      request(domain, { ...rest, commandType, data }, defined({ timeoutMs, signal })),
    ) as RequestCall,
    replies: Object.assign(replies.repliesOf, bus.replies),
    as: (identity, reading) =>
      createCaller(reading === undefined ? callerDeps : { ...callerDeps, ...reads.until(reading) }, identity),
    actions: { ...bus.actions, ...guardedAll({ run: runActions, runOne: actions.runOne }) },
    runs: { ...bus.runs, run: guarded(signal => expiry.during(() => runner.run(signal))) },
    schedules: { ...bus.schedules, carryOut: guarded(scheduleRunner.run) },
    alerts: { ...bus.alerts, run: guarded(alertRunner.run) },
    figures: { ...bus.figures, count: guarded(figureRunner.run) },
    maintenance: {
      rebuild: guarded((given = {}) => rebuildCommands({ pool, ...given })),
      verify: guarded((given = {}) => verifyCommands({ pool, ...given })),
      verifyLog: guarded(async (given = {}) =>
        (await import('../infrastructure/proof/verification/verify.ts')).verifyLog(pool, given),
      ),
    },
    sensitive: guardedAll({
      list: sensitive.known,
      add: async (path: SensitivePath) => sensitive.declare([sensitivePathOf(path)]),
      remove: sensitive.remove,
    }),
    follower,
    replica,
    worker: workers.make,
    close: createShutdown([
      [
        workers.stop,
        replies.stopReaders,
        actions.close,
        runner.close,
        scheduleRunner.close,
        alertRunner.close,
        figureRunner.close,
        reads.live.stop,
        expiry.close,
      ],
      // last, because running handlers may still send
      [takeNoMore, pauses.settled, beats.settled, ...(replica === null ? [] : [replica.stop])],
      [replies.close],
      [commandLog.close],
      [stopDoorbell],
      [connections.close],
    ]),
  }
}
