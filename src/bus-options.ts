import type { Pool } from 'pg'
import type { RetryOptions } from './application/commands/send-command.ts'
import type { LateReplies } from './application/ports/alerting/alert-store.ts'
import type { Clock } from './application/ports/clock.ts'
import type { Log } from './application/ports/log.ts'
import type { Telemetry } from './application/ports/telemetry.ts'
import type { Sensitive } from './application/sensitive/sensitive-paths.ts'
import type { EventStoreDbLimits } from './infrastructure/eventstoredb/mirror/follower.ts'
import type { RehearsalProcess } from './infrastructure/rehearsal/child.ts'
import type { AlertLimits } from './infrastructure/runners/alerts.ts'
import type { FigureLimits } from './infrastructure/runners/figures.ts'
import type { ScheduleLimits } from './infrastructure/runners/schedules.ts'
import type { WorkflowOptions } from './infrastructure/runners/workflow-runs.ts'
import type { Handler } from './infrastructure/worker/attempt/handler.ts'

/** One of `databaseUrl` and `pool` is required. */
export interface CommandBusOptions {
  /** `postgres://...` of a database that `commandbus migrate` has prepared. Or give `pool`. */
  readonly databaseUrl?: string
  /** Your own pool; `close` leaves it open. The bus opens further connections with the same settings. */
  readonly pool?: Pool
  /**
   * `postgres://...` of a physical replica (a hot standby) of the database: lists, histories, statistics and figures are read
   * there, and from the primary while the replica is away or too late. docs/scaling.md says which reads, and how old they
   * may be. Default: everything is read from the primary.
   */
  readonly readDatabaseUrl?: string
  /**
   * With `readDatabaseUrl`: how old what a list shows may be, in milliseconds, 1,000 to 60,000. While the replica is further
   * behind, the primary is read. Default 10,000.
   */
  readonly maxReadLagMs?: number
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
   * The same for the reads on separate connections: `as(identity, reading)`, statistics and live events, and for all reads on
   * a replica, which are then made again on the primary. In milliseconds, default 10,000; never longer than
   * `databaseTimeoutMs`.
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
