import { type ColumnName, type Columns, type commandColumns, toColumns } from '../domain/command/columns.ts'
import type { CommandError, CommandEvent, CommandKey } from '../domain/command/events.ts'
import { commandQueue, parseCommandStream } from '../domain/command/names.ts'
import { careOf, notParked, parkingOf } from '../domain/command/parking.ts'
import { isParking, transitions } from '../domain/command/transitions.ts'
import type { Recorded } from '../domain/recorded.ts'

type Definition = typeof commandColumns

/** A row of `command_bus_command`, column by column; `msg_id` is known to the runner alone, which numbers messages. */
export type CommandRow = Columns<Exclude<ColumnName, 'msgId'>>

/** The columns of a row that change in this way. */
type Changing<How> = keyof CommandRow & Extract<Definition[ColumnName], { readonly changes: How }>['column']

/** A move applies only to a row that stands between `after` and `revision`: applied twice it changes nothing. */
export interface CommandMove
  extends Pick<CommandRow, Changing<'always'>>,
    Partial<Pick<CommandRow, Changing<'sometimes'>>> {
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
    : { kind: 'move', move: Object.assign(moved(key, recorded), details(recorded)) }
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
    queue_name: commandQueue(key.domain, event.priority),
    reply_queue: event.replyTo,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    tenant_id: event.tenantId,
    owner_id: event.ownerId,
    parent_command_id: event.parentCommandId,
    retry_count: event.retryCount,
    run_at: event.runAt ?? null,
    priority: event.priority ?? 'normal',
    expires_at: event.expiresAt ?? null,
    lane: event.lane ?? null,
    lease_expires_at: null,
    next_attempt_at: null,
    ...columnsNotParked,
    assignee: null,
    tags: [],
    notes: 0,
    last_error_type: null,
    last_error_code: null,
    last_error_msg: null,
    last_error_frame: null,
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
  ...(isParking(event) ? toColumns(parkingOf(event)) : columnsNotParked),
  updated_at: event.at,
  revision,
})

const columnsNotParked = toColumns(notParked)

const details = ({ event }: Recorded<CommandEvent>): Partial<CommandRow> => {
  if (isParking(event)) {
    return 'error' in event ? { ...lastError(event.error), attempts: event.attempt } : careColumns(event)
  }
  switch (event.type) {
    case 'CommandReceived':
      return { attempts: event.attempt, total_attempts: event.total, lease_expires_at: event.leaseExpiresAt }
    case 'CommandFailed':
      return {
        ...lastError(event.error),
        next_attempt_at: event.retryAt,
        ...(event.uncounted === true ? { attempts: event.attempt - 1 } : {}),
      }
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
      return lastError(event.error)
    case 'OperatorRetried':
      return { attempts: event.attempts, data_revision: event.dataRevision }
    case 'CommandCompleted':
      return event.receipt === undefined ? {} : { attempts: event.attempt, total_attempts: event.receipt.total }
    case 'CommandRescheduled':
      return { run_at: event.runAt }
    case 'CommandSent':
    case 'CommandCanceled':
    case 'CommandExpired':
    case 'OperatorCanceled':
    case 'OperatorCompleted':
      return {}
  }
}

/** The row keeps a value unless an event names a new one, so nobody has a name of its own. */
const careColumns = (event: CommandEvent): Partial<CommandRow> => {
  const { assignee, ...care } = careOf(event)
  return { ...care, ...(assignee === undefined ? {} : { assignee: assignee ?? '' }) }
}

const lastError = (error: CommandError) => ({
  last_error_type: error.type,
  last_error_code: error.code,
  last_error_msg: error.message,
  last_error_frame: error.frame ?? '',
})
