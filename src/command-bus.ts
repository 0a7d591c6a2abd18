import type { ClientBase, Pool } from 'pg'
import type { BusCalls } from './application/access/bus-calls.ts'
import type { Caller } from './application/access/caller.ts'
import type { BatchResult } from './application/commands/send-batch.ts'
import type { CommandToSend, RetryOptions, SentCommand } from './application/commands/send-command.ts'
import type { Identity } from './application/ports/authorization.ts'
import type { Clock } from './application/ports/clock.ts'
import type { Log } from './application/ports/log.ts'
import type { Telemetry } from './application/ports/telemetry.ts'
import type { WorkflowCalls } from './application/runs/workflow-calls.ts'
import type { EventStoreDbLimits, Follower } from './infrastructure/eventstoredb/mirror/follower.ts'
import type { RebuildProgress, Rebuilt } from './infrastructure/postgres/read-tables/rebuild.ts'
import type { Drift } from './infrastructure/postgres/read-tables/verify.ts'
import type { Verified, VerifyOptions } from './infrastructure/proof/verification/verify.ts'
import type { RehearsalProcess } from './infrastructure/rehearsal/child.ts'
import type { Actions } from './infrastructure/runners/bulk-actions.ts'
import type { WorkflowOptions } from './infrastructure/runners/workflow-runs.ts'
import type { Handler } from './infrastructure/worker/attempt/handler.ts'
import type { Worker, WorkerOptions } from './infrastructure/worker/worker-api.ts'

/** Until when somebody waits for what is read. */
export interface Reading {
  readonly signal: AbortSignal
}

export interface CommandBusOptions {
  /** `postgres://...` of a database that `commandbus migrate` has prepared. Or give `pool`. */
  readonly databaseUrl?: string
  /** A pool of yours; `close` leaves it open. Its settings are used for further connections too. */
  readonly pool?: Pool
  /**
   * `esdb://...` or `kurrentdb://...`: the log is in EventStoreDB, one for the whole process, and PostgreSQL keeps rows and queues. Default:
   * the log is in PostgreSQL. See docs/eventstoredb.md for what differs.
   */
  readonly eventStoreUrl?: string
  /**
   * With `eventStoreUrl`: what the names of all streams of this installation begin with, such as `billing_`, for an
   * EventStoreDB that others use, too. Letters, digits, `_` and `.`. Default: nothing.
   */
  readonly eventStorePrefix?: string
  /**
   * With `eventStoreUrl`: how long a call that changes something waits until row and message are there, in milliseconds.
   * One that takes longer succeeds all the same. Default 0: it does not wait, and tells no message id.
   */
  readonly waitForDispatchMs?: number
  /**
   * Connections of the bus's own pool. Default 10; at least 2 for transactional handlers, which leave two free (one of a
   * pool of two). Workers open a few more, see docs/production.md.
   */
  readonly maxConnections?: number
  /**
   * How long a connection may take to be had, and PostgreSQL to answer a statement, in milliseconds: 10 to 2,147,483,647,
   * default 30,000. After it a call fails with an UnavailableError, a worker tries again, and the server is asked to end
   * the statement; a connection of the bus's is thrown away, a client of yours stays yours. Migrations, rebuilds, `verify`,
   * archives and exports have no such limit.
   */
  readonly databaseTimeoutMs?: number
  /**
   * The same for the statements of reads that have connections of their own: those of `as(identity, reading)`, figures and
   * live events. Default 10,000; never longer than `databaseTimeoutMs`.
   */
  readonly readTimeoutMs?: number
  /** Retry policies by command type, for senders that name none. */
  readonly policies?: { readonly [commandType: string]: RetryOptions }
  /** What becomes of the message of a completed command: `delete` (default) or `archive`. */
  readonly onSuccess?: 'delete' | 'archive'
  /**
   * Queues that callers of `as(identity)` and of HTTP may name in `replyTo`: names, `*` for any part of one, `{tenant}` for
   * the caller's tenant. Default: a tenant has `t_{tenant}__*`, callers without a tenant what begins otherwise.
   */
  readonly replyQueues?: readonly string[]
  /**
   * Queues that the database may have, whoever made them: a send that would need one more is refused. Two for a domain
   * whose commands are answered. Default 1,000: each takes its share of the memory that PostgreSQL has for locks.
   */
  readonly maxQueues?: number
  /** Domains and reply queues that one caller of `as(identity)` or HTTP may be the first to use within an hour. Default 100. */
  readonly newQueuesPerHour?: number
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
  readonly eventStoreLimits?: EventStoreDbLimits
}

export type SendOptions = Omit<CommandToSend, 'commandType' | 'data'> & JoinOptions

export interface JoinOptions {
  /** A connected `pg` client: the command is sent in its transaction, and commits or rolls back with it. */
  readonly client?: ClientBase
}

/** Every promise rejects with a CommandBusError for what a caller can mend: see its `code`. */
export interface CommandBus extends BusCalls {
  /** Checks that the database can be reached and its schema is the one this version knows. */
  readonly ready: () => Promise<void>
  /** Sends a command. @throws DuplicateCommandError, InvalidInputError */
  readonly send: (domain: string, commandType: string, data: unknown, options?: SendOptions) => Promise<SentCommand>
  /**
   * Sends up to 10,000 commands of a domain in a few statements of at most 1,000 commands and about 8 MiB; duplicates are
   * reported, not thrown. Statements stand alone: when one fails, what the others have sent stays sent, and the error
   * says of each command what became of it. With `client` all of it is in that transaction.
   * @throws InvalidInputError (nothing was sent), BatchFailedError (see its `results`)
   * @example
   * try {
   *   await bus.sendBatch('payments', commands)
   * } catch (error) {
   *   if (!(error instanceof BatchFailedError)) throw error
   *   const missing = error.results.filter(({ outcome }) => outcome === 'unknown' || outcome === 'unsent')
   * }
   */
  readonly sendBatch: (
    domain: string,
    commands: readonly CommandToSend[],
    options?: JoinOptions,
  ) => Promise<readonly BatchResult[]>
  /**
   * The bus as an identity may use it: permissions checked, within its tenant, its subject in the audit. With `reading` only
   * for reads and dry runs: they go over a few connections of their own, so that they never hold up sends, and end on the
   * server when the signal is aborted; the call then fails with the signal's reason.
   */
  readonly as: (identity: Identity, reading?: Reading) => Caller
  /** Actions on many parked commands at once. `run` carries them out, in any number of processes. */
  readonly actions: BusCalls['actions'] & Pick<Actions, 'run' | 'runOne'>
  /**
   * Workflow runs: many files, each a command of domain `workflow`, paid with credits, continued where they failed.
   * `run` notes how the files end; one process of the fleet does, the others stand by.
   */
  readonly runs: WorkflowCalls & { readonly run: (signal?: AbortSignal) => Promise<void> }
  readonly maintenance: {
    /** Writes the read tables anew from the log while the bus serves; sends nothing. */
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

export type CreateCommandBus = (options: CommandBusOptions) => CommandBus
