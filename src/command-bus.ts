import type { ClientBase } from 'pg'
import type { BusCalls } from './application/access/bus-calls.ts'
import type { Caller } from './application/access/caller.ts'
import type { BatchResult } from './application/commands/send-batch.ts'
import type { CommandToSend, SentCommand } from './application/commands/send-command.ts'
import type { ScheduleCalls } from './application/flow/schedules.ts'
import type { AnyCommand, DataOf, SendCall } from './application/payloads/define-command.ts'
import type { Identity } from './application/ports/authorization.ts'
import type { ReplyReader } from './application/replies/read-replies.ts'
import type { SuccessReply } from './application/replies/reply.ts'
import type { WaitForReply } from './application/replies/request.ts'
import type { WorkflowCalls } from './application/runs/workflow-calls.ts'
import type { SensitivePath } from './application/sensitive/sensitive-paths.ts'
import type { Figures } from './application/watching/figures.ts'
import type { CommandBusOptions } from './bus-options.ts'
import type { Json } from './domain/json/json.ts'
import type { Follower } from './infrastructure/eventstoredb/mirror/follower.ts'
import type { Drift } from './infrastructure/postgres/read-tables/drift.ts'
import type { RebuildProgress, Rebuilt } from './infrastructure/postgres/read-tables/rebuild.ts'
import type { Replica } from './infrastructure/postgres/replica/replica.ts'
import type { Verified, VerifyOptions } from './infrastructure/proof/verification/verify.ts'
import type { Actions } from './infrastructure/runners/bulk-actions.ts'
import type { Worker, WorkerOptions } from './infrastructure/worker/worker-api.ts'

/** The options of reads that end early. */
export interface Reading {
  /** Aborted when the caller no longer waits for the answer. */
  readonly signal: AbortSignal
  /** With `readDatabaseUrl`: true reads from the primary, for a caller who must see what was just written. Default false. */
  readonly fresh?: boolean
  /** Called when an answer came from the replica: how old it is at most, in milliseconds. */
  readonly onAge?: (ageMs: number) => void
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
  /** With `readDatabaseUrl`: whether lists are read from the replica now, and how far it is behind. Otherwise null. */
  readonly replica: Replica | null
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
