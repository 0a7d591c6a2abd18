import type { ClientBase, Pool } from 'pg'
import type { BusCalls } from './application/access/bus-calls.ts'
import type { Caller } from './application/access/caller.ts'
import type { BatchResult } from './application/commands/send-batch.ts'
import type { CommandToSend, RetryOptions, SentCommand } from './application/commands/send-command.ts'
import type { ScheduleCalls } from './application/flow/schedules.ts'
import type { AnyCommand, DataOf, SendCall } from './application/payloads/define-command.ts'
import type { LateReplies } from './application/ports/alerting/alert-store.ts'
import type { Identity } from './application/ports/authorization.ts'
import type { Clock } from './application/ports/clock.ts'
import type { Log } from './application/ports/log.ts'
import type { Telemetry } from './application/ports/telemetry.ts'
import type { ReplyReader } from './application/replies/read-replies.ts'
import type { SuccessReply } from './application/replies/reply.ts'
import type { WaitForReply } from './application/replies/request.ts'
import type { WorkflowCalls } from './application/runs/workflow-calls.ts'
import type { Sensitive, SensitivePath } from './application/sensitive/sensitive-paths.ts'
import type { Figures } from './application/watching/figures.ts'
import type { Json } from './domain/json/json.ts'
import type { EventStoreDbLimits, Follower } from './infrastructure/eventstoredb/mirror/follower.ts'
import type { Drift } from './infrastructure/postgres/read-tables/drift.ts'
import type { RebuildProgress, Rebuilt } from './infrastructure/postgres/read-tables/rebuild.ts'
import type { Verified, VerifyOptions } from './infrastructure/proof/verification/verify.ts'
import type { RehearsalProcess } from './infrastructure/rehearsal/child.ts'
import type { AlertLimits } from './infrastructure/runners/alerts.ts'
import type { Actions } from './infrastructure/runners/bulk-actions.ts'
import type { FigureLimits } from './infrastructure/runners/figures.ts'
import type { ScheduleLimits } from './infrastructure/runners/schedules.ts'
import type { WorkflowOptions } from './infrastructure/runners/workflow-runs.ts'
import type { Handler } from './infrastructure/worker/attempt/handler.ts'
import type { Worker, WorkerOptions } from './infrastructure/worker/worker-api.ts'

/** The options of reads that end early. */
export interface Reading {
  /** Aborted when the caller no longer waits for the answer. */
  readonly signal: AbortSignal
}

/** One of `databaseUrl` and `pool` is required. */
export interface CommandBusOptions {
  /** `postgres://...` of a database that `commandbus migrate` has prepared. Or give `pool`. */
  readonly databaseUrl?: string
  /** Your own pool; `close` leaves it open. The bus opens further connections with the same settings. */
  readonly pool?: Pool
  /**
   * `esdb://...` or `kurrentdb://...`: the log is in EventStoreDB, and PostgreSQL keeps rows and queues. All buses of a
   * process share one EventStoreDB. Default: the log is in PostgreSQL. docs/eventstoredb.md says what differs.
   */
  readonly eventStoreUrl?: string
  /**
   * With `eventStoreUrl`: the prefix of all stream names, such as `billing_`, for an EventStoreDB that other systems use
   * too. Letters, digits, `_` and `.`. Default: none.
   */
  readonly eventStorePrefix?: string
  /**
   * With `eventStoreUrl`: how long a call that changes something waits for its row and message, in milliseconds. After
   * that time the call succeeds without them. Default 0: calls do not wait, and return no message id.
   */
  readonly waitForDispatchMs?: number
  /**
   * The size of the bus's own pool. Default 10. Transactional handlers need at least 2, and leave two connections free (one
   * in a pool of two). Workers open a few more connections: see docs/production.md.
   */
  readonly maxConnections?: number
  /**
   * The time limit for getting a connection, and for each statement, in milliseconds: 10 to 2,147,483,647, default 30,000.
   * After it the call fails with an UnavailableError (a worker tries again), and the server is asked to end the statement.
   * The bus closes its own connection then, and never your client. Migrations, rebuilds, `verify`, archives and exports
   * have no such limit.
   */
  readonly databaseTimeoutMs?: number
  /**
   * The same for the reads on separate connections: `as(identity, reading)`, statistics and live events. In milliseconds,
   * default 10,000; never longer than `databaseTimeoutMs`.
   */
  readonly readTimeoutMs?: number
  /** Retry policies by command type; the options of a send override them. */
  readonly policies?: { readonly [commandType: string]: RetryOptions }
  /** What happens to the message of a completed command: `delete` (default) or `archive`. */
  readonly onSuccess?: 'delete' | 'archive'
  /**
   * The name of your service, such as `shop`: replies to its requests go to queue `shop__requests`, which all its processes
   * share. Default: `commandbus`.
   */
  readonly service?: string
  /**
   * Queues that callers of `as(identity)` and of HTTP may name in `replyTo`: names, where `*` stands for any part and
   * `{tenant}` for the caller's tenant. Default: `t_{tenant}__*` for a tenant; for callers without one, every name that
   * does not begin with `t_`.
   */
  readonly replyQueues?: readonly string[]
  /**
   * How many queues the database may have, including those of other programs. A send that needs one more is refused. A
   * domain with replies needs two. Default 1,000: each queue takes some of PostgreSQL's memory for locks. Null: no limit.
   */
  readonly maxQueues?: number | null
  /** How many new domains and reply queues one caller of `as(identity)` or HTTP may use within an hour. Default 100. Null: no limit. */
  readonly newQueuesPerHour?: number | null
  /** After how many seconds without a reply a sender counts as waiting too long, in `replies.owed`: 1-31,536,000. Default 3,600. */
  readonly lateAfterSeconds?: number
  /** The longest chain of manual retries of one failed operation. Default 20. */
  readonly maxOperationRetries?: number
  /**
   * Further handlers by domain and command type, for rehearsals and to check edited payloads. The handlers of this bus's
   * workers are known already.
   */
  readonly handlers?: { readonly [domain: string]: { readonly [commandType: string]: Handler } }
  /**
   * Members of payloads and results that only permission `reveal` shows, as `{ payments: { Charge: ['card.number'] } }`; `*`
   * stands for every command type, and in a path for any name or item. They are kept for every process, and stay hidden
   * until `sensitive.remove`. See docs/security.md.
   */
  readonly sensitive?: Sensitive
  /** Runs each rehearsal in a separate process that this command starts; for the program `commandbus`. */
  readonly rehearsals?: RehearsalProcess
  /** The domain, retry policy and limits of workflow runs. */
  readonly workflows?: WorkflowOptions
  /** What alerts may do. */
  readonly alerts?: AlertOptionsOfBus
  /** For tests: limits of what sends the commands of schedules. */
  readonly schedules?: { readonly limits?: Partial<ScheduleLimits> }
  /** For tests: limits of what counts figures. */
  readonly figures?: { readonly limits?: Partial<FigureLimits> }
  /** For example a pino logger. Default: no logging. */
  readonly log?: Log
  /** Receives what is sent and handled, for metrics and traces. Default: none. */
  readonly telemetry?: Telemetry
  /** For tests. */
  readonly clock?: Clock
  /** For tests: other limits. */
  readonly eventStoreLimits?: EventStoreDbLimits
}

/** What alerts of this process may do. */
export interface AlertOptionsOfBus {
  /** Where people reach the console, such as `https://bus.example.com`, for links in alerts. Default: no links. */
  readonly publicUrl?: string
  /**
   * Whether alerts may be sent to http addresses, and to hosts of private networks and of this machine. Default false, so
   * that nobody can make the service call what only it can reach.
   */
  readonly allowLocal?: boolean
  /** For tests: counts the replies that senders wait for, instead of `replies.owed`. */
  readonly lateReplies?: () => Promise<LateReplies>
  /** For tests. */
  readonly limits?: Partial<AlertLimits>
}

/** The options of one send; all are optional. */
export type SendOptions = Omit<CommandToSend, 'commandType' | 'data'> & JoinOptions

/**
 * The options of one request: those of a send, and how long to wait. `replyTo`: another queue for the reply than the one of
 * the service; do not read it with `replies(queue).run`, unless with `olderThanSeconds`.
 */
export type RequestOptions = Omit<CommandToSend, 'commandType' | 'data'> & WaitForReply

/** A request, with its command by name or as `defineCommand` returned it. */
export interface RequestCall {
  <Command extends AnyCommand>(
    command: Command,
    data: DataOf<Command>,
    options?: RequestOptions,
  ): Promise<SuccessReply<Json>>
  <Data = Json>(
    domain: string,
    commandType: string,
    data: unknown,
    options?: RequestOptions,
  ): Promise<SuccessReply<Data>>
}

/** To send in a transaction of your own. */
export interface JoinOptions {
  /** A connected `pg` client: the command is sent in its transaction, and commits or rolls back with it. */
  readonly client?: ClientBase
}

/** Every promise rejects with a CommandBusError where the caller can correct the cause: see its `code`. */
export interface CommandBus extends BusCalls {
  /** Checks that the database can be reached and has the schema of this version. @throws UnavailableError */
  readonly ready: () => Promise<void>
  /**
   * Sends one command to the queue of a domain: by its names, or as `defineCommand` returned it, with a payload that the
   * compiler checks.
   * @throws DuplicateCommandError, InvalidInputError, UnavailableError; InvalidPayloadError: a command with `checkOnSend`
   * @example
   * const { commandId } = await bus.send('payments', 'Refund', { orderId: 'o-1', amount: 5 }, {
   *   commandId: commandIdFor(null, 'payments', 'refund:o-1'), // the same id for the same refund
   *   replyTo: 'shop_replies',
   * })
   * await bus.send(chargeCard, { amount: 25 })
   */
  readonly send: SendCall<SendOptions, SentCommand>
  /**
   * Sends up to 10,000 commands to one domain, in statements of at most 1,000 commands and about 8 MiB. Duplicates are
   * reported in the results, not thrown. Each statement commits by itself: when one fails, the commands of the others stay
   * sent, and the error has the outcome of each command. With `client` all statements are in its transaction.
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
   * Sends one command and waits for its reply. After the timeout the command goes on, and its reply stays on its queue; the
   * same when this process dies. It cannot join a transaction: the command must be sent before its reply can come.
   * `Data` is not checked: it is what the handler returns.
   * @throws RequestFailedError, RequestCanceledError, RequestTimedOutError; also what a send throws
   * @example
   * const { data } = await bus.request<{ refunded: number }>('payments', 'Refund', { orderId: 'o-1' }, { timeoutMs: 5_000 })
   */
  readonly request: RequestCall
  /**
   * The replies of one queue, to read them; its members are about replies that senders wait for, and those that could not be
   * put on their queue.
   * @throws InvalidInputError, ReplyQueueRefusedError (a queue of commands)
   */
  readonly replies: ((queue: string) => ReplyReader) & BusCalls['replies']
  /**
   * The bus as one identity may use it: each call checks its permission, stays within its tenant, and has its subject in
   * the audit. With `reading` it is for reads and dry runs only: they use separate connections, so that they never delay
   * sends. When the signal is aborted, the statement ends on the server and the call fails with the signal's reason.
   * @throws InvalidInputError; each call: ForbiddenError
   * @example
   * const caller = bus.as({ subject: 'ann', tenant: 'acme', roles: ['OPERATOR'] })
   * const command = await caller.getCommand('payments', commandId)
   */
  readonly as: (identity: Identity, reading?: Reading) => Caller
  /** Actions on many parked commands at once. `run` carries them out; any number of processes may call it. */
  readonly actions: BusCalls['actions'] & Pick<Actions, 'run' | 'runOne'>
  /**
   * Workflow runs: each has many files, and each file is a command of domain `workflow`. Tenants pay with credits, and can
   * continue a run with its failed files. `run` records how files end; one process does this, the others stand by.
   */
  readonly runs: WorkflowCalls & {
    /** Until the signal is aborted or the bus is closed. */ readonly run: (signal?: AbortSignal) => Promise<void>
  }
  /**
   * Schedules: each sends a command at the times of a cron, or every so many seconds. `carryOut` sends them; one process does
   * this, the others stand by. The service does it by itself.
   */
  readonly schedules: ScheduleCalls & {
    /** Until the signal is aborted or the bus is closed. */ readonly carryOut: (signal?: AbortSignal) => Promise<void>
  }
  /**
   * Alerts: webhooks that tell when something is wrong. `run` looks and sends; one process does this, the others stand by.
   * The service does it by itself.
   */
  readonly alerts: BusCalls['alerts'] & {
    /** Until the signal is aborted or the bus is closed. */ readonly run: (signal?: AbortSignal) => Promise<void>
  }
  /**
   * Figures by type, queue and cause. `count` counts them from the log, and keeps them for seven days; one process does this, the
   * others stand by. The service does it by itself; without it figures end where counting ended, and go on from there.
   */
  readonly figures: Figures & {
    /** Until the signal is aborted or the bus is closed. */ readonly count: (signal?: AbortSignal) => Promise<void>
  }
  readonly maintenance: {
    /** Rebuilds the read tables from the log while the bus is in use; sends nothing. */
    readonly rebuild: (options?: { readonly onProgress?: (progress: RebuildProgress) => void }) => Promise<Rebuilt>
    /** Compares every column of every read row with the log; an empty list means no differences. */
    readonly verify: (options?: { readonly limit?: number }) => Promise<readonly Drift[]>
    /** Checks the hash chain of the log, its seals, every row and every message; changes nothing. */
    readonly verifyLog: (options?: VerifyOptions) => Promise<Verified>
  }
  /** What is hidden from callers without permission `reveal`, whichever process declared it. */
  readonly sensitive: {
    /** By domain, command type and path. */
    readonly list: () => Promise<readonly SensitivePath[]>
    /** As the option `sensitive`; changes nothing if it is declared. @throws InvalidInputError */
    readonly add: (path: SensitivePath) => Promise<void>
    /** Shows it again, to all who may read. A worker or a service that declares it hides it when it starts. False: it was not declared. */
    readonly remove: (path: SensitivePath) => Promise<boolean>
  }
  /** With `eventStoreUrl`: copies the log to PostgreSQL. Otherwise null: rows and messages are committed with the events. */
  readonly follower: Follower | null
  /**
   * Makes a worker for one domain; it receives nothing before its `start`. `close` of the bus stops it too.
   * @throws InvalidInputError
   * @example
   * const worker = bus.worker({ domain: 'payments', handlers: { Refund: refund }, concurrency: 20 })
   * await worker.start()
   */
  readonly worker: (options: WorkerOptions) => Worker
  /** Stops the workers gracefully, then closes the connections. */
  readonly close: () => Promise<void>
}

export type CreateCommandBus = (options: CommandBusOptions) => CommandBus
