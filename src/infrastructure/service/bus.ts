import type { Caller } from '../../application/access/caller.ts'
import type { createCommandReader } from '../../application/commands/read-commands.ts'
import type { BatchResult } from '../../application/commands/send-batch.ts'
import type { CommandToSend, SentCommand } from '../../application/commands/send-command.ts'
import type { UndeliveredReplies } from '../../application/commands/undelivered-replies.ts'
import type { readCorrelation, readParkedAt } from '../../application/investigation/investigate.ts'
import type { ReadHistory } from '../../application/investigation/read-history.ts'
import type { Operations } from '../../application/operations/operations.ts'
import type { Identity } from '../../application/ports/authorization.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Telemetry } from '../../application/ports/telemetry.ts'
import type { Credits } from '../../application/runs/credits.ts'
import type { WorkflowCalls } from '../../application/runs/workflow-calls.ts'
import type { dryRunAction } from '../../application/troubleshooting/dry-run-action.ts'
import type { cancelCommand } from '../../application/troubleshooting/operate-command.ts'
import type { OperatorCalls } from '../../application/troubleshooting/operator-options.ts'
import type { rehearseCommand } from '../../application/troubleshooting/rehearse-command.ts'
import type { Follower } from '../eventstoredb/mirror/follower.ts'
import type { ChildOptions } from '../rehearsal/child.ts'
import type { Actions } from '../runners/bulk-actions.ts'
import type { Worker, WorkerOptions } from '../worker/worker-api.ts'

type Reader = ReturnType<typeof createCommandReader>

/** What the command line and the service need of the library; the composition root hands it in. */
export interface Bus {
  readonly ready: () => Promise<void>
  readonly send: (
    domain: string,
    commandType: string,
    data: unknown,
    options?: Omit<CommandToSend, 'commandType' | 'data'>,
  ) => Promise<SentCommand>
  readonly sendBatch: (domain: string, commands: readonly CommandToSend[]) => Promise<readonly BatchResult[]>
  readonly getCommand: Reader['get']
  readonly findCommand: Reader['find']
  readonly queryCommands: Reader['list']
  readonly getAuditTrail: Reader['auditTrail']
  readonly getHistory: ReadHistory
  readonly getCorrelation: ReturnType<typeof readCorrelation>
  readonly cancel: ReturnType<typeof cancelCommand>
  readonly replies: UndeliveredReplies
  readonly troubleshooting: OperatorCalls & {
    readonly list: Reader['parked']
    readonly listAt: ReturnType<typeof readParkedAt>
    readonly groups: Reader['parkedGroups']
    readonly rehearse: ReturnType<typeof rehearseCommand>
  }
  readonly operations: Operations
  /** On many parked commands at once. */
  readonly actions: Pick<Actions, 'start' | 'get' | 'list' | 'stop' | 'run' | 'runOne'> & {
    readonly dryRun: ReturnType<typeof dryRunAction>
  }
  readonly runs: WorkflowCalls & { readonly run: (signal?: AbortSignal) => Promise<void> }
  readonly credits: Credits
  readonly as: (identity: Identity, reading?: { readonly signal: AbortSignal }) => Caller
  /** Null: the log is in PostgreSQL. */
  readonly follower: Follower | null
  readonly worker: (options: WorkerOptions) => Worker
  readonly close: () => Promise<void>
}

/** Rehearsals in processes of their own; the bus fills in its database. */
export type RehearsalProcess = Pick<ChildOptions, 'command' | 'env' | 'hasCodecs'>

export interface BusOptions {
  readonly databaseUrl: string
  readonly databaseTimeoutMs?: number
  readonly readTimeoutMs?: number
  readonly eventStoreUrl?: string
  readonly eventStorePrefix?: string
  readonly waitForDispatchMs?: number
  readonly maxConnections?: number
  readonly log?: Log
  readonly telemetry?: Telemetry
  readonly rehearsals?: RehearsalProcess
  readonly replyQueues?: readonly string[]
  readonly maxQueues?: number
  readonly newQueuesPerHour?: number
}

export type CreateBus = (options: BusOptions) => Bus
