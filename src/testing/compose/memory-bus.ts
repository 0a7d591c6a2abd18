import { createCaller } from '../../application/access/caller.ts'
import { replyQueuesOf } from '../../application/access/reply-queues.ts'
import { roleAuthorization } from '../../application/access/roles.ts'
import { commandStoreOf } from '../../application/commands/command-store.ts'
import { acceptedOrThrow, type CommandToSend } from '../../application/commands/send-command.ts'
import { createSender, type Sender } from '../../application/commands/sender.ts'
import { takingDefinitions } from '../../application/payloads/define-command.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Telemetry } from '../../application/ports/telemetry.ts'
import { requestQueueOf } from '../../application/replies/request.ts'
import { WORKFLOW_DOMAIN } from '../../application/runs/run-jobs.ts'
import { type SensitivePath, sensitivePathOf, sensitivePathsOf } from '../../application/sensitive/sensitive-paths.ts'
import { UnavailableError } from '../../application/shared/errors.ts'
import { defined } from '../../application/shared/input.ts'
import type { CommandBusOptions } from '../../bus-options.ts'
import type { CommandBus, RequestCall, RequestOptions, SendOptions } from '../../command-bus.ts'
import { commandQueues } from '../../domain/command/names.ts'
import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import { toPublicError } from '../../infrastructure/postgres/connection/errors.ts'
import { knownHandlers } from '../../infrastructure/rehearsal/known-handlers.ts'
import { derivedId, uuidIds } from '../../infrastructure/shared/uuid-ids.ts'
import { sensitiveOf } from '../../infrastructure/worker/attempt/handler.ts'
import type { WorkerOptions } from '../../infrastructure/worker/worker-api.ts'
import { NotInMemoryError, refused, refusedCalls } from '../memory/refusals.ts'
import type { TestClock } from '../memory/test-clock.ts'
import type { Away } from '../running/away.ts'
import type { Bell } from '../running/bell.ts'
import { createEngine } from '../running/engine.ts'
import type { Plan } from '../running/incidents.ts'
import { createWatch } from '../running/pauses.ts'
import { createExpiry, createPauseEnds, createScheduleRunner } from '../running/runners.ts'
import { createMemoryWorker } from '../running/worker.ts'
import { createMemoryCalls } from './bus-calls.ts'
import { createLazyCrons } from './cron-times.ts'
import { createChecks } from './rehearsals.ts'
import { createRequests } from './requests.ts'
import { openStores } from './stores.ts'

/** The options of the real bus that a bus in memory takes. */
export type SharedOptions = Pick<
  CommandBusOptions,
  'policies' | 'onSuccess' | 'service' | 'replyQueues' | 'maxOperationRetries' | 'handlers' | 'sensitive'
>

export interface MemoryBusDeps {
  /** Of the workers for the handlers in the options. */
  readonly worker: Omit<WorkerOptions, 'domain' | 'handlers'> | undefined
  readonly clock: TestClock
  readonly away: Away
  readonly bell: Bell
  readonly plan: Plan
  readonly log: Log
  readonly telemetry: Telemetry
}

/** A bus whose stores are in memory, and what runs its workers. */
export const createMemoryBus = (options: SharedOptions, deps: MemoryBusDeps) => {
  const { clock, away, bell, log, telemetry } = deps
  const ids = uuidIds
  const onSuccess = options.onSuccess ?? 'delete'
  const stores = openStores({ clock, away, onSuccess })
  const { transact, queues, tables } = stores
  const handlers = knownHandlers(options.handlers ?? {})
  const sensitive: SensitivePath[] = [
    ...sensitivePathsOf(options.sensitive ?? {}),
    ...sensitiveOf(options.handlers ?? {}),
  ]
  let isClosed = false
  let starting: Promise<unknown> | null = null

  const sender = withoutLanes(
    createSender({
      clock,
      ids,
      policies: new Map(Object.entries(options.policies ?? {})),
      laneRules: () => [],
      makeReplyQueues: async names => names.forEach(queues.ensure),
      admit: () => null,
      transact,
      telemetry,
      toPublicError,
      isUndone: () => true,
      share: null,
      whyInDoubt: () => null,
    }),
  )
  const { one, send, batch } = Object.fromEntries(
    Object.entries(sender).map(([name, call]) => [
      name,
      async (...args: Parameters<Sender['one']>) => {
        if (isClosed)
          throw new UnavailableError('this bus was closed: await what is under way before `close`, or make another')
        const answer = await (call as Sender['one'])(...args)
        bell.ring()
        return answer
      },
    ]),
  ) as unknown as Sender

  const crons = createLazyCrons()
  const engine = createEngine({
    clock,
    queues,
    away,
    bell,
    log,
    begin: async () => {
      if (!away.isAway()) starting ??= Promise.all(workers.map(one => one.start()))
      await starting
    },
    runners: [
      createExpiry(tables, clock.ms, transact),
      createPauseEnds(stores.pauses),
      createScheduleRunner({
        work: stores.schedules.work,
        cronTimes: crons.cronTimes,
        now: clock.ms,
        derivedId,
        sendBatch: batch,
        atOnce: 500,
        log,
      }),
    ],
  })
  const request = createRequests({
    queues,
    clock,
    engine,
    bell,
    ids,
    send: async (domain, command) => acceptedOrThrow(domain, await one(domain, command)),
    queue: requestQueueOf(options.service),
  })
  const watch = createWatch(stores.pauses, queues, () =>
    [...engine.workers].flatMap(({ domain }) => commandQueues(domain)),
  )
  const known = async () => sensitive
  const worker: CommandBus['worker'] = given => {
    const made = createMemoryWorker(
      {
        ...deps,
        store: commandStoreOf(stores.store),
        transact,
        queue: stores.queue,
        queues,
        ids,
        watch,
        sensitive: known,
        onStart: one => {
          engine.workers.add(one)
          bell.ring()
        },
        onStop: one => {
          engine.workers.delete(one)
          bell.ring()
        },
      },
      given,
    )
    handlers.add(given.domain, made)
    sensitive.push(...sensitiveOf({ [given.domain]: given.handlers ?? {} }))
    return made
  }
  const workers = Object.entries(options.handlers ?? {}).map(([domain, ofDomain]) =>
    worker({ ...deps.worker, domain, handlers: ofDomain, workerId: domain }),
  )
  const bus = createMemoryCalls({
    stores,
    clock,
    ids,
    log,
    onSuccess,
    send: one,
    rehearsals: createChecks(handlers),
    crons,
    maxOperationRetries: options.maxOperationRetries,
    onChange: bell.ring,
  })
  const calls: CommandBus = {
    ...bus,
    ready: async () => away.check(),
    send: takingDefinitions(async (domain, commandType, data, { client, ...rest }: SendOptions = {}) => {
      refuseClient(client)
      return send(domain, { ...rest, commandType, data })
    }),
    sendBatch: async (domain, commands, { client } = {}) => {
      refuseClient(client)
      return batch(domain, commands)
    },
    request: takingDefinitions((domain, commandType, data, { timeoutMs, signal, ...rest }: RequestOptions = {}) =>
      request(domain, { ...rest, commandType, data }, defined({ timeoutMs, signal })),
    ) as RequestCall,
    replies: refusedCalls('list of owed or undelivered replies', () => ({
      run: refused('readers of replies (take what `repliesOn` of the test bus returns)'),
    })),
    as: identity =>
      createCaller(
        {
          bus,
          send,
          sendBatch: batch,
          request,
          requestQueue: requestQueueOf(options.service),
          subscribe: refused('live events'),
          stats: { read: refused('statistics') },
          authorization: roleAuthorization,
          reservedDomains: new Map([
            [OPERATIONS_DOMAIN, 'start operations'],
            [WORKFLOW_DOMAIN, 'start workflow runs'],
          ]),
          mayReplyTo: replyQueuesOf(options.replyQueues),
          admit: () => null,
          log,
          sensitive: { known },
        },
        identity,
      ),
    actions: refusedCalls('bulk actions'),
    runs: refusedCalls('workflow runs'),
    alerts: refusedCalls('alerts'),
    figures: refusedCalls('figures'),
    schedules: { ...bus.schedules, carryOut: refused('runner of schedules: `advance` sends what is due') },
    maintenance: refusedCalls('maintenance of a database'),
    sensitive: {
      list: known,
      add: async path => void sensitive.push(sensitivePathOf(path)),
      remove: async ({ domain, commandType, path }) => {
        const place = sensitive.findIndex(
          one => one.domain === domain && one.commandType === commandType && one.path === path,
        )
        if (place >= 0) sensitive.splice(place, 1)
        return place >= 0
      },
    },
    follower: null,
    replica: null,
    worker,
    close: async () => {
      isClosed = true
      engine.workers.clear()
      bell.ring()
    },
  }
  return { bus: calls, stores, engine }
}

const refuseClient = (client: unknown): void => {
  if (client !== undefined) throw new NotInMemoryError('transactions of yours to send in (`client`)')
}

const refuseKey = ({ key }: Pick<CommandToSend, 'key'>): void => {
  if (key != null) throw new NotInMemoryError('lanes (`key`)')
}

const withoutLanes = (sender: Sender): Sender => ({
  one: async (domain, command) => {
    refuseKey(command)
    return sender.one(domain, command)
  },
  send: async (domain, command) => {
    refuseKey(command)
    return sender.send(domain, command)
  },
  batch: async (domain, commands) => {
    if (Array.isArray(commands)) for (const command of commands) refuseKey(Object(command))
    return sender.batch(domain, commands)
  },
})
