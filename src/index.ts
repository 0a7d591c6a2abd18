export type { BulkActionOptions } from './application/action-input.ts'
export { BatchFailedError, type BatchItem } from './application/batch-failed.ts'
export {
  ActionNotFoundError,
  type ActionView,
  type GetActionOptions,
  type StopActionOptions,
} from './application/bulk-action.ts'
export type { Caller } from './application/caller.ts'
export type { CausalNode, CommandNode, CreditNode, RunNode } from './application/causal-tree.ts'
export { BusinessRuleError, PermanentCommandError, TransientCommandError } from './application/command-errors.ts'
export type { CreditBalance, GrantCredits } from './application/credits.ts'
export type { CommandPlan } from './application/dry-run.ts'
export type { ActionPlan } from './application/dry-run-action.ts'
export {
  CommandBusError,
  CommandIdTakenError,
  CommandNotFoundError,
  DomainReservedError,
  DuplicateCommandError,
  ForbiddenError,
  HandlerAlreadyRegisteredError,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
  ReplyQueueRefusedError,
  UnavailableError,
} from './application/errors.ts'
export type {
  CausalTree,
  ParkedAtOptions,
  ParkedAtPage,
  ParkedThenItem,
} from './application/investigate.ts'
export type {
  CancelOptions,
  EndAttemptOptions,
  OperatorCancelOptions,
  OperatorCompleteOptions,
  OperatorRetryOptions,
} from './application/operate-command.ts'
export {
  type Operation,
  type OperationFilter,
  OperationNotFoundError,
  OperationNotRetriableError,
  type Owner,
  type StartOperation,
} from './application/operations.ts'
export type { Identity, Role } from './application/ports/authorization.ts'
export type {
  AuditEntry,
  AuditFilter,
  CommandDetail,
  CommandFilter,
  CommandView,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from './application/ports/command-queries.ts'
export type { Log } from './application/ports/log.ts'
export type { Telemetry } from './application/ports/telemetry.ts'
export type { UndeliveredFilter, UndeliveredReply } from './application/ports/undelivered.ts'
export type {
  CreditEntry,
  PerFileResult,
  RunFilter,
  TemplateFilter,
  WorkflowRun,
  WorkflowTemplate,
} from './application/ports/workflow-queries.ts'
export type { CommandHistory, Comparison, HistoryOptions, MomentView } from './application/read-history.ts'
export type { RunHistory, RunHistoryOptions } from './application/read-run-history.ts'
export type { Rehearsal, RehearsalOutcome, RehearseOptions } from './application/rehearse-command.ts'
export {
  AlreadyRunningError,
  GrantConflictError,
  InsufficientCreditsError,
  RunNotFoundError,
  RunNotRetriableError,
  TemplateNotFoundError,
} from './application/run-errors.ts'
export type { BatchResult } from './application/send-batch.ts'
export type { CommandToSend, RetryOptions, SentCommand } from './application/send-command.ts'
export type { Delivered, DeliverOptions, UndeliveredReplies } from './application/undelivered-replies.ts'
export type { RetryPreview, Starter, StartRun } from './application/workflow-runs.ts'
export type { Asker, NewTemplate } from './application/workflow-templates.ts'
export type { CommandBus, CommandBusOptions, JoinOptions, Reading, SendOptions } from './command-bus.ts'
export { createCommandBus } from './create-command-bus.ts'
export type { Json } from './domain/command/events.ts'
export type { CommandSnapshot, HistoryStep } from './domain/command/history.ts'
export type { CommandStatus } from './domain/command/transitions.ts'
export type { Moment, Step } from './domain/history.ts'
export type { Change } from './domain/json-diff.ts'
export type { FileSnapshot, RunSnapshot, RunSummary } from './domain/workflow-run/history.ts'
export type { CatchUpHealth, CatchUpState } from './infrastructure/eventstoredb/catch-up-health.ts'
export type { Follower } from './infrastructure/eventstoredb/follower.ts'
export type { AwaitedEvent, Dispatched, WaitOptions } from './infrastructure/eventstoredb/waiting.ts'
export type { RebuildProgress, Rebuilt } from './infrastructure/postgres/rebuild.ts'
export type { Drift } from './infrastructure/postgres/verify.ts'
export type { Finding, KnownSeal, Verified, VerifyOptions } from './infrastructure/proof/verify.ts'
export type { WorkflowOptions } from './infrastructure/runs.ts'
export { commandIdFor } from './infrastructure/uuid-ids.ts'
export type { MapError, MappedError } from './infrastructure/worker/failures.ts'
export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerDefinition,
} from './infrastructure/worker/handler.ts'
export type { Health } from './infrastructure/worker/health.ts'
export type { StopOptions, Worker, WorkerOptions } from './infrastructure/worker/worker-api.ts'
