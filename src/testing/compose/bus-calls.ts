import type { BusCalls } from '../../application/access/bus-calls.ts'
import { commandStoreOf } from '../../application/commands/command-store.ts'
import { createCommandReader } from '../../application/commands/read-commands.ts'
import { acceptedOrThrow } from '../../application/commands/send-command.ts'
import type { Sender } from '../../application/commands/sender.ts'
import { createPauses } from '../../application/flow/pauses.ts'
import { createSchedules } from '../../application/flow/schedules.ts'
import { createSettings } from '../../application/flow/settings-store.ts'
import { readAttempts } from '../../application/investigation/attempts.ts'
import { readHistory } from '../../application/investigation/read-history.ts'
import { createOperations } from '../../application/operations/operations.ts'
import type { Ids } from '../../application/ports/ids.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Rehearsals } from '../../application/ports/rehearsals.ts'
import { planTurns } from '../../application/troubleshooting/dry-run.ts'
import {
  cancelCommand,
  createOperatorCalls,
  rescheduleCommand,
} from '../../application/troubleshooting/operate-command.ts'
import { payloadFaults } from '../../application/troubleshooting/rehearse-command.ts'
import { derivedId } from '../../infrastructure/shared/uuid-ids.ts'
import { type OutboxOptions, outbox } from '../../projections/outbox.ts'
import { refused, refusedCalls } from '../memory/refusals.ts'
import type { TestClock } from '../memory/test-clock.ts'
import type { createLazyCrons } from './cron-times.ts'
import type { Stores } from './stores.ts'

export interface CallsDeps extends OutboxOptions {
  readonly stores: Stores
  readonly clock: TestClock
  readonly ids: Ids
  readonly log: Log
  readonly send: Sender['one']
  readonly rehearsals: Rehearsals
  readonly crons: ReturnType<typeof createLazyCrons>
  readonly maxOperationRetries: number | undefined
  /** Something may be due that was not. */
  readonly onChange: () => void
}

/** The calls of the bus: the use cases of the real one, on the stores in memory. */
export const createMemoryCalls = (deps: CallsDeps): BusCalls => {
  const { stores, clock, ids, log, send, crons } = deps
  const { transact, queries } = stores
  const store = commandStoreOf(stores.store)
  const reader = createCommandReader(queries)
  const operate = {
    transact,
    clock,
    log,
    plan: planTurns(store, ids, outbox({ onSuccess: deps.onSuccess })),
    faultsOf: payloadFaults({ store, rehearsals: deps.rehearsals }),
  }
  const settings = createSettings({ store: stores.store, log: stores.settingsLog, ids, clock })
  const schedules = createSchedules({
    settings,
    queries: stores.schedules.queries,
    cronTimes: crons.cronTimes,
    now: async () => clock.ms(),
    send: async (domain, command) => acceptedOrThrow(domain, await send(domain, command)),
    onChanged: deps.onChange,
  })
  return {
    getCommand: reader.get,
    findCommand: reader.find,
    queryCommands: reader.list,
    getAuditTrail: reader.auditTrail,
    getHistory: readHistory(store),
    getAttempts: readAttempts(store),
    getCorrelation: refused('causal trees (`getCorrelation`)'),
    cancel: cancelCommand(operate),
    reschedule: rescheduleCommand({ ...operate, get: reader.get }),
    ...createPauses({
      settings,
      queries: stores.pauses,
      clock,
      derivedId,
      onChange: async () => deps.onChange(),
    }),
    troubleshooting: {
      list: reader.parked,
      groups: reader.parkedGroups,
      listAt: refused('list of what was parked at an instant (`listAt`)'),
      explain: refused('explanations (`explain`)'),
      ...createOperatorCalls(operate),
      rehearse: refused('rehearsals'),
      rehearsable: async () => [],
    },
    operations: createOperations({ ...deps, queries, derivedId, maxRetries: deps.maxOperationRetries }),
    schedules: crons.afterLoad(schedules),
    workers: refusedCalls('list of workers'),
    lanes: refusedCalls('lanes'),
    limits: refusedCalls('limits'),
    causes: refusedCalls('notes on causes'),
    alerts: refusedCalls('alerts'),
    replies: refusedCalls('list of owed or undelivered replies'),
    search: refusedCalls('search in payloads'),
    views: refusedCalls('views'),
    strangers: refusedCalls('messages of other programs'),
    actions: refusedCalls('bulk actions'),
    runs: refusedCalls('workflow runs'),
    credits: refusedCalls('credits'),
    figures: refusedCalls('figures'),
  }
}
