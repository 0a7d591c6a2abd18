import type { CommandError, CommandEvent, CommandKey, ParkingReason } from '../domain/command/events.ts'
import { commandQueue, parseCommandStream } from '../domain/command/names.ts'
import { type CommandStatus, transitions } from '../domain/command/transitions.ts'
import type { Instant } from '../domain/instant.ts'
import type { Recorded } from '../domain/recorded.ts'

/** A row of `command_bus_command`, without `msg_id`, which only the runner knows. */
export interface CommandRow {
  readonly domain: string
  readonly command_id: string
  readonly command_type: string
  readonly status: CommandStatus
  readonly attempts: number
  readonly max_attempts: number
  readonly total_attempts: number
  readonly queue_name: string
  readonly reply_queue: string | null
  readonly correlation_id: string
  readonly causation_id: string | null
  readonly tenant_id: string | null
  readonly owner_id: string | null
  readonly parent_command_id: string | null
  readonly retry_count: number
  readonly lease_expires_at: Instant | null
  readonly next_attempt_at: Instant | null
  readonly parked_at: Instant | null
  readonly parked_reason: ParkingReason | null
  readonly last_error_type: string | null
  readonly last_error_code: string | null
  readonly last_error_msg: string | null
  readonly data_revision: number
  readonly created_at: Instant
  readonly updated_at: Instant
  readonly revision: number
}

/** Columns that every event after the first sets; null: none now. */
type AlwaysSet = Pick<
  CommandRow,
  'status' | 'lease_expires_at' | 'next_attempt_at' | 'parked_at' | 'parked_reason' | 'updated_at' | 'revision'
>
/** Columns that keep their value unless the event has a new one. */
type SometimesSet = Pick<
  CommandRow,
  'attempts' | 'total_attempts' | 'last_error_type' | 'last_error_code' | 'last_error_msg' | 'data_revision'
>

/** Applies only to a row at a revision from `after` to below `revision`: applied twice it changes nothing. */
export interface CommandMove extends AlwaysSet, Partial<SometimesSet> {
  readonly domain: string
  readonly command_id: string
  /** The revision before the first event of this move. */
  readonly after: number
}

export type RowChange =
  | { readonly kind: 'insert'; readonly row: CommandRow }
  | { readonly kind: 'move'; readonly move: CommandMove }

/** What an event changes in `command_bus_command`; null for events of other aggregates. */
export const commandRowChange = (recorded: Recorded<CommandEvent>): RowChange | null => {
  const key = parseCommandStream(recorded.stream)
  if (key === null) return null
  return recorded.event.type === 'CommandSent'
    ? { kind: 'insert', row: inserted(key, recorded) }
    : { kind: 'move', move: { ...moved(key, recorded), ...details(recorded) } }
}

/** Merges two changes of one row, in the order of their revisions. */
export const mergeChanges = (first: RowChange, second: RowChange): RowChange => {
  if (second.kind === 'insert') return first
  if (first.kind === 'move') return { kind: 'move', move: { ...first.move, ...second.move, after: first.move.after } }
  const { after: _, ...columns } = second.move
  return { kind: 'insert', row: { ...first.row, ...columns } }
}

const inserted = (key: CommandKey, { event, revision }: Recorded<CommandEvent>): CommandRow => {
  if (event.type !== 'CommandSent') throw new Error(`a row begins with CommandSent, not with ${event.type}`)
  return {
    domain: key.domain,
    command_id: key.commandId,
    command_type: event.commandType,
    status: transitions.CommandSent.to,
    attempts: 0,
    max_attempts: event.policy.maxAttempts,
    total_attempts: 0,
    queue_name: commandQueue(key.domain),
    reply_queue: event.replyTo,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    tenant_id: event.tenantId,
    owner_id: event.ownerId,
    parent_command_id: event.parentCommandId,
    retry_count: event.retryCount,
    lease_expires_at: null,
    next_attempt_at: null,
    parked_at: null,
    parked_reason: null,
    last_error_type: null,
    last_error_code: null,
    last_error_msg: null,
    data_revision: 0,
    created_at: event.at,
    updated_at: event.at,
    revision,
  }
}

const moved = (key: CommandKey, { event, revision }: Recorded<CommandEvent>) => ({
  domain: key.domain,
  command_id: key.commandId,
  after: revision - 1,
  status: transitions[event.type].to,
  lease_expires_at: null,
  next_attempt_at: null,
  parked_at: null,
  parked_reason: null,
  updated_at: event.at,
  revision,
})

const details = ({ event }: Recorded<CommandEvent>): Partial<CommandRow> => {
  switch (event.type) {
    case 'CommandReceived':
      return { attempts: event.attempt, total_attempts: event.total, lease_expires_at: event.leaseExpiresAt }
    case 'CommandFailed':
      return {
        ...lastError(event.error),
        next_attempt_at: event.retryAt,
        ...(event.uncounted === true ? { attempts: event.attempt - 1 } : {}),
      }
    case 'CommandMovedToTroubleshooting':
      return {
        ...lastError(event.error),
        attempts: event.attempt,
        parked_at: event.at,
        parked_reason: event.reason,
      }
    case 'OperatorEndedAttempt':
      return { ...lastError(event.error), parked_at: event.at, parked_reason: 'ATTEMPT_ENDED' }
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
      return lastError(event.error)
    case 'OperatorRetried':
      return { attempts: event.attempts, data_revision: event.dataRevision }
    case 'CommandCompleted':
      return event.receipt === undefined ? {} : { attempts: event.attempt, total_attempts: event.receipt.total }
    case 'CommandSent':
    case 'CommandCanceled':
    case 'OperatorCanceled':
    case 'OperatorCompleted':
      return {}
  }
}

const lastError = (error: CommandError) => ({
  last_error_type: error.type,
  last_error_code: error.code,
  last_error_msg: error.message,
})
