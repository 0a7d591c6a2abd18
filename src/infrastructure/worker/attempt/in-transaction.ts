import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { type Outcome, wasAccepted } from '../../../application/commands/attempt-turns.ts'
import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import type { CommandTurn, WorkItem } from '../../../application/commands/work-message.ts'
import type { Log } from '../../../application/ports/log.ts'
import { rawClient } from '../../postgres/connection/facade.ts'
import type { HandlerConnection, HandlerConnections } from '../client/connections.ts'
import { guardedClient, transactionEnded } from '../client/guarded-client.ts'
import { failure, failureOf } from '../failures/failures.ts'
import type { Hiding } from '../failures/hiding.ts'
import type { ReportOutcome } from './reporter.ts'
import { nameOf } from './run.ts'

const LONGEST_TRANSACTION_MS = 300_000
const CONNECT_AGAIN_MS = 100

export interface TransactionDeps {
  readonly transact: TransactCommands
  readonly connections: HandlerConnections
  readonly log: Log
  /** Whether a pause keeps the command from beginning, which has waited for a connection or for its receipt. */
  readonly isPaused: (job: WorkItem) => Promise<boolean>
  /** Whether the error says that the database is away. */
  readonly isAway: (error: unknown) => boolean
  readonly hiding: Pick<Hiding, 'of'>
}

/** The attempt of a transactional handler. */
export interface TransactionalAttempt {
  readonly job: WorkItem
  readonly recordReceipt: () => Promise<void>
  /** This worker no longer has the attempt. */
  readonly isAbandoned: () => boolean
  /** The handler was cut off, and may still run. */
  readonly isLate: () => boolean
  readonly handle: (client: ClientBase) => Promise<Outcome>
  readonly turnOf: (outcome: Outcome) => CommandTurn
}

/** The receipt is in the log by then, so this is, too. */
export const PAUSED: Outcome = {
  kind: 'failure',
  error: failure('TRANSIENT', 'PAUSED', 'It was paused before its handler began (this attempt does not count)'),
  counts: false,
}

/** The handler's writes and the completion in one transaction; the receipt is in the log before it begins. */
export const inTransaction = async (
  deps: TransactionDeps,
  attempt: TransactionalAttempt,
): Promise<Outcome | ReportOutcome> => {
  await attempt.recordReceipt()
  if (attempt.isAbandoned()) throw new Error('this worker no longer has the attempt')
  const { client, release } = await connected(deps, attempt)
  if (await deps.isPaused(attempt.job)) {
    release()
    return PAUSED
  }
  const guarded = guardedClient(rawClient(client))
  let broken: Error | undefined
  // a connection that breaks while the handler does not use it must not end the process
  const onError = (error: Error): void => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query('begin')
    await client.query(`set local idle_in_transaction_session_timeout = ${LONGEST_TRANSACTION_MS}`)
    const outcome = await attempt.handle(guarded.client)
    guarded.close()
    if (guarded.isMarked())
      broken = new Error('the handler may have left a setting, a lock or a table on its connection')
    if (attempt.isLate()) {
      // the handler may still run: close its connection, so that nobody else gets it
      broken = new Error('the handler did not end in time')
      return outcome
    }
    const tried = guarded.tried()
    if (outcome.kind === 'failure' || attempt.isAbandoned() || tried !== null) {
      await client.query('rollback')
      return tried === null ? outcome : { kind: 'failure', error: transactionEnded(tried) }
    }
    const [reported] = await deps.transact([attempt.turnOf(outcome)], { within: client })
    await client.query(reported !== undefined && wasAccepted(reported) ? 'commit' : 'rollback')
    return reported as ReportOutcome
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    // it may have committed: then this report is stale and changes nothing
    const hide = await deps.hiding.of(attempt.job)
    return { kind: 'failure', error: { ...failureOf(error, undefined, hide), code: 'TRANSACTION_FAILED' } }
  } finally {
    client.off('error', onError)
    release(broken)
  }
}

/** Waits for a connection before the handler begins, until the attempt is abandoned. */
const connected = async (deps: TransactionDeps, attempt: TransactionalAttempt): Promise<HandlerConnection> => {
  for (;;) {
    try {
      const connection = await deps.connections.connect()
      if (!attempt.isAbandoned()) return connection
      connection.release()
      throw new Error('this worker no longer has the attempt')
    } catch (error) {
      if (attempt.isAbandoned() || !deps.isAway(error)) throw error
      deps.log.warn({ err: error, ...nameOf(attempt.job) }, 'no connection for a transactional handler; trying again')
      await delay(CONNECT_AGAIN_MS)
    }
  }
}
