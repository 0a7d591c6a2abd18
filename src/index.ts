export type { Caller } from './application/access/caller.ts'
export type { CallersFilter } from './application/access/calling.ts'
export type { CallersCommand } from './application/access/command-calls.ts'
export type { WaitsFor } from './application/acting/next-piece.ts'
export { PlanChangedError } from './application/acting/plan-token.ts'
export { AlertNotFoundError } from './application/alerts/alert-errors.ts'
export type { NewAlert } from './application/alerts/alert-input.ts'
export type { AlertOptions } from './application/alerts/alerts.ts'
export { BatchFailedError, type BatchItem } from './application/commands/batch-failed.ts'
export {
  BusinessRuleError,
  PermanentCommandError,
  TransientCommandError,
} from './application/commands/command-errors.ts'
export type { BatchResult } from './application/commands/send-batch.ts'
export type { CommandToSend, RetryOptions, SentCommand } from './application/commands/send-command.ts'
export type { Delivered, DeliverOptions, UndeliveredReplies } from './application/commands/undelivered-replies.ts'
export type { Cause, CauseFilter as CausesFilter, CauseOptions } from './application/flow/causes.ts'
export { AlreadyPausedError, LimitNotFoundError, PauseNotFoundError } from './application/flow/flow-errors.ts'
export type { LaneOptions, LimitOptions } from './application/flow/lane-input.ts'
export type { LaneThen } from './application/flow/lanes.ts'
export type { LimitsFilter } from './application/flow/limits.ts'
export type { PauseOptions, PausesFilter, Resumed, ResumeOptions } from './application/flow/pauses.ts'
export { ScheduleNameTakenError, ScheduleNotFoundError } from './application/flow/schedule-errors.ts'
export type { NewSchedule } from './application/flow/schedule-input.ts'
export type { Schedule, ScheduleCalls, ScheduleOptions } from './application/flow/schedules.ts'
export type { Attempt, AttemptOutcome } from './application/investigation/attempts.ts'
export type { CausalNode, CommandNode, CreditNode, RunNode } from './application/investigation/causal-tree.ts'
export type {
  CausalTree,
  ParkedAtOptions,
  ParkedAtPage,
  ParkedThenItem,
} from './application/investigation/investigate.ts'
export type {
  CommandHistory,
  Comparison,
  HistoryOptions,
  MomentView,
} from './application/investigation/read-history.ts'
export { OperationNotFoundError, OperationNotRetriableError } from './application/operations/operation-errors.ts'
export type { Operation } from './application/operations/operation-view.ts'
export type { OperationFilter, OperationUser, StartOperation } from './application/operations/operations.ts'
export {
  type AnyCommand,
  type CommandDefinition,
  type DataOf,
  type DefineCommandOptions,
  type DefinedCommand,
  defineCommand,
  type SendCall,
} from './application/payloads/define-command.ts'
export type { InputOf, OutputOf, PayloadSchema } from './application/payloads/payload-schema.ts'
export type { StandardAnswer, StandardIssue, StandardSchema } from './application/payloads/standard-schema.ts'
export type {
  ActionChange,
  ActionItem,
  ActionListFilter,
  BecameCounts,
  ItemListFilter,
  PlanChange,
} from './application/ports/action-store.ts'
export type {
  Alert,
  AlertDelivery,
  DeliveryFilter,
  DeliveryStatus,
  LateReplies,
  QuietHours,
} from './application/ports/alerting/alert-store.ts'
export type { Identity, Principal, Role, Scope } from './application/ports/authorization.ts'
export type { Clock } from './application/ports/clock.ts'
export type { FeedPosition } from './application/ports/event-feed.ts'
export type { HandledCommand } from './application/ports/handled-command.ts'
export type { Log } from './application/ports/log.ts'
export type {
  AuditEntry,
  AuditFilter,
  CauseCare,
  CommandDetail,
  CommandFilter,
  CommandView,
  GroupFilter,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from './application/ports/reading/command-queries.ts'
export type { Cause as ExplainedCause, CauseFilter } from './application/ports/reading/explain.ts'
export type {
  CausesPage,
  FailureCause,
  FigureBucket,
  FigureRange,
  QueueBucket,
  QueueFigures,
  QueuesFilter,
  QueuesPage,
  Spread,
  TypeFigures,
  TypesFilter,
  TypesPage,
} from './application/ports/reading/figures.ts'
export type { Pause } from './application/ports/reading/flow-queries.ts'
export type { StatusCount } from './application/ports/reading/investigation.ts'
export type { Lane, LaneBlocker, LaneFilter, Limit } from './application/ports/reading/lane-queries.ts'
export type { LiveFilter, SubscribeOptions } from './application/ports/reading/live-events.ts'
export type { OwedFilter, OwedReplies, OwedReply } from './application/ports/reading/owed.ts'
export type { ScheduleFilter } from './application/ports/reading/schedule-queries.ts'
export type { Health } from './application/ports/reading/stats.ts'
export type { UndeliveredFilter, UndeliveredReply } from './application/ports/reading/undelivered.ts'
export type {
  KnownWorker,
  RunningAttempt,
  WorkerFilter,
  WorkerStatus,
} from './application/ports/reading/worker-queries.ts'
export type {
  CreditEntry,
  EntryFilter,
  PerFileResult,
  RunFilter,
  TemplateFilter,
  WorkflowRun,
  WorkflowTemplate,
} from './application/ports/reading/workflow-queries.ts'
export type { Searchable } from './application/ports/search/searchable.ts'
export type { View } from './application/ports/search/views.ts'
export type { AdoptChoice, Stranger, StrangerFilter } from './application/ports/strangers.ts'
export type {
  Attempt as AttemptSpan,
  AttemptEnd,
  AttemptFacts,
  SendFacts,
  Sending,
  SendOutcomeKind,
  StrangerFacts,
  Telemetry,
  WorkerFacts,
} from './application/ports/telemetry.ts'
export type {
  ReplyContext,
  ReplyHandler,
  ReplyReader,
  ReplyReaderOptions,
  RunningReader,
  StopReading,
} from './application/replies/read-replies.ts'
export type { CanceledReply, FailedReply, Reply, ReplyError, SuccessReply } from './application/replies/reply.ts'
export type { WaitForReply } from './application/replies/request.ts'
export {
  RequestCanceledError,
  RequestFailedError,
  RequestTimedOutError,
} from './application/replies/request-errors.ts'
export type { CreditBalance, GrantCredits } from './application/runs/credits.ts'
export type { RunHistory, RunHistoryOptions } from './application/runs/read-run-history.ts'
export {
  AlreadyRunningError,
  GrantConflictError,
  InsufficientCreditsError,
  RunNotFoundError,
  RunNotRetriableError,
  TemplateNotFoundError,
} from './application/runs/run-errors.ts'
export type { WorkflowCalls } from './application/runs/workflow-calls.ts'
export type { RetryPreview, RunStarter, StartRun } from './application/runs/workflow-runs.ts'
export type { NewTemplate } from './application/runs/workflow-templates.ts'
export type { DeclareSearchOptions, DropSearchOptions, Search } from './application/search/search.ts'
export { type SetView, ViewNotFoundError, type Views, type ViewUser } from './application/search/views.ts'
export type { FlowOptions } from './application/sending/flow-options.ts'
export type { Sensitive, SensitivePath } from './application/sensitive/sensitive-paths.ts'
export type { CutBeside, CutChange } from './application/shared/cut-json.ts'
export {
  CommandBusError,
  CommandIdTakenError,
  CommandNotFoundError,
  ContentionError,
  DomainReservedError,
  DuplicateCommandError,
  ForbiddenError,
  HandlerAlreadyRegisteredError,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
  ReplyQueueRefusedError,
  TooManyQueuesError,
  UnavailableError,
} from './application/shared/errors.ts'
export type {
  AdoptedStrangers,
  AdoptOptions,
  DropOptions,
  DroppedStrangers,
  Strangers,
} from './application/strangers/strangers.ts'
export {
  ActionNotFoundError,
  type ActionView,
  type GetActionOptions,
} from './application/troubleshooting/bulk-action.ts'
export type { Control as ControlAction, ControlOptions } from './application/troubleshooting/control-action.ts'
export type { CommandPlan, PlannedMessage, PlannedReply } from './application/troubleshooting/dry-run.ts'
export type { ActionPlan, BlockedItem, QueueCount } from './application/troubleshooting/dry-run-action.ts'
export type { CancelOptions, RescheduleOptions } from './application/troubleshooting/operate-command.ts'
export type {
  Acted,
  ActorOptions,
  BulkActionOptions,
  OperatorCall,
  OperatorCalls,
  OperatorOptions,
} from './application/troubleshooting/operator-options.ts'
export type { Rehearsal, RehearsalOutcome, RehearseOptions } from './application/troubleshooting/rehearse-command.ts'
export type { Trend } from './application/watching/course.ts'
export type { Figures, StatusOptions } from './application/watching/figures.ts'
export type { ProblemKind, StatusProblem } from './application/watching/problems.ts'
export type { Status } from './application/watching/status.ts'
export type { AlertOptionsOfBus, CommandBusOptions } from './bus-options.ts'
export type {
  CommandBus,
  JoinOptions,
  Reading,
  RequestCall,
  RequestOptions,
  SendOptions,
} from './command-bus.ts'
export { createCommandBus } from './compose/create-command-bus.ts'
export type { Campaign, StopRule } from './domain/campaign/campaign.ts'
export type { Hours } from './domain/campaign/hours.ts'
export type { CommandError, CommandKey, ErrorCause } from './domain/command/events.ts'
export type { CommandSnapshot, HistoryStep } from './domain/command/history.ts'
export type { ActionName, ParkedAction } from './domain/command/operator-actions.ts'
export type { ActionCondition, ActionFilter, ParkedFilter } from './domain/command/parking.ts'
export type { OnExhausted } from './domain/command/retry-policy.ts'
export type { CommandStatus } from './domain/command/transitions.ts'
export type { Pool as CreditPool, Split as CreditSplit } from './domain/credits/events.ts'
export type { Explained, Finding as CauseFinding, FindingKind } from './domain/explain/index.ts'
export type { CauseKey } from './domain/flow/cause/events.ts'
export type { PauseFacts } from './domain/flow/pause/pause.ts'
export type { Unhandled } from './domain/flow/unhandled.ts'
export type { Moment, Step } from './domain/history.ts'
export type { Instant } from './domain/instant.ts'
export type { Json } from './domain/json/json.ts'
export type { Change } from './domain/json/json-diff.ts'
export type { PayloadCondition } from './domain/json/payload-path.ts'
export type { OperationStatus } from './domain/operation/status.ts'
export type { FileStatus, Owed as OwedRefund } from './domain/workflow-run/events.ts'
export type { FileSnapshot, RunSnapshot, RunSummary } from './domain/workflow-run/history.ts'
export type { ChargeOfRun } from './domain/workflow-run/state.ts'
export type { CatchUpHealth, CatchUpState } from './infrastructure/eventstoredb/mirror/catch-up-health.ts'
export type { Follower } from './infrastructure/eventstoredb/mirror/follower.ts'
export type { AwaitedEvent, Dispatched, WaitOptions } from './infrastructure/eventstoredb/mirror/waiting.ts'
export type { Drift, RowName } from './infrastructure/postgres/read-tables/drift.ts'
export type { RebuildProgress, Rebuilt } from './infrastructure/postgres/read-tables/rebuild.ts'
export type { Replica, ReplicaHealth } from './infrastructure/postgres/replica/replica.ts'
export type { Finding, FindingKind as ProofFindingKind } from './infrastructure/proof/chain/finding.ts'
export type { SealHead } from './infrastructure/proof/chain/seals.ts'
export type { Verified, VerifyOptions, VerifyProgress } from './infrastructure/proof/verification/verify.ts'
export type { KnownSeal } from './infrastructure/proof/verification/verify-seals.ts'
export type { RunOneOptions } from './infrastructure/runners/bulk-actions.ts'
export type { WorkflowOptions } from './infrastructure/runners/workflow-runs.ts'
export { commandIdFor } from './infrastructure/shared/uuid-ids.ts'
export {
  type AnyHandler,
  defineHandler,
  type Handle,
  type Handler,
  type HandlerContext,
  type HandlerDefinition,
} from './infrastructure/worker/attempt/handler.ts'
export type { HandlerErrorType, MapError, MappedError } from './infrastructure/worker/failures/failures.ts'
export type { OnUnknownType } from './infrastructure/worker/flow/unknown-types.ts'
export type { StopOptions, Worker, WorkerOptions } from './infrastructure/worker/worker-api.ts'
