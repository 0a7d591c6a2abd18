import type { Priority } from '../flow/priority.ts'
import type { Instant } from '../instant.ts'
import type { CommandStatus } from './transitions.ts'

/** What the read row of a command holds, under the names of the API. Times are ISO 8601. */
export interface CommandColumns {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  readonly status: CommandStatus
  readonly attempts: number
  readonly maxAttempts: number
  readonly totalAttempts: number
  readonly msgId: string | null
  readonly queueName: string
  readonly replyTo: string | null
  readonly correlationId: string
  readonly causationId: string | null
  readonly tenantId: string | null
  readonly ownerId: string | null
  readonly parentCommandId: string | null
  readonly retryCount: number
  /** Not before; null: it could run since it was sent. */
  readonly runAt: Instant | null
  readonly priority: Priority
  /** If nobody has begun it by then, it is canceled. */
  readonly expiresAt: Instant | null
  readonly lane: string | null
  readonly leaseExpiresAt: Instant | null
  readonly nextAttemptAt: Instant | null
  readonly parkedAt: Instant | null
  readonly parkedReason: string | null
  /** Until then it is left out of counts and alarms; a time that has passed means nothing any more. */
  readonly snoozedUntil: Instant | null
  /** Who takes care of it. */
  readonly assignee: string | null
  readonly tags: readonly string[]
  /** How many notes operators have added. */
  readonly notes: number
  readonly lastErrorType: string | null
  readonly lastErrorCode: string | null
  readonly lastErrorMsg: string | null
  /** Where in the user's own code it was thrown, as in `src/charge.ts:41 in charge`; null: not known. */
  readonly lastErrorFrame: string | null
  /** Revision of the event that holds `data`. */
  readonly dataRevision: number
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly revision: number
}

/**
 * How a column is stored, read and declared. A `bigint` is read as text; a `revision` is one that is read as a number. A
 * `frame` that is not known is stored as an empty text, which replaces the one of an earlier error.
 */
export type ColumnKind =
  | 'text'
  | 'frame'
  | 'status'
  | 'priority'
  | 'message'
  | 'uuid'
  | 'int'
  | 'bigint'
  | 'revision'
  | 'instant'
  /** A text; `''` stands for null, where an event has set it back. */
  | 'person'
  | 'tags'

interface CommandColumn<Value> {
  /** Its name in `command_bus_command`. */
  readonly column: string
  readonly kind: ColumnKind
  readonly nullable: null extends Value ? true : false
  /** `always`: every event after the first sets it. `sometimes`: it keeps its value unless an event names a new one. */
  readonly changes: 'never' | 'always' | 'sometimes'
}

/**
 * The one definition of the columns of a command: its row, the rebuild of rows, the queries, the HTTP contract and the
 * history are made from it. A new column gets a line here and one above, and its place in the migrations.
 */
export const commandColumns = {
  domain: { column: 'domain', kind: 'text', nullable: false, changes: 'never' },
  commandId: { column: 'command_id', kind: 'uuid', nullable: false, changes: 'never' },
  commandType: { column: 'command_type', kind: 'text', nullable: false, changes: 'never' },
  status: { column: 'status', kind: 'status', nullable: false, changes: 'always' },
  attempts: { column: 'attempts', kind: 'int', nullable: false, changes: 'sometimes' },
  maxAttempts: { column: 'max_attempts', kind: 'int', nullable: false, changes: 'never' },
  totalAttempts: { column: 'total_attempts', kind: 'int', nullable: false, changes: 'sometimes' },
  msgId: { column: 'msg_id', kind: 'bigint', nullable: true, changes: 'sometimes' },
  queueName: { column: 'queue_name', kind: 'text', nullable: false, changes: 'never' },
  replyTo: { column: 'reply_queue', kind: 'text', nullable: true, changes: 'never' },
  correlationId: { column: 'correlation_id', kind: 'text', nullable: false, changes: 'never' },
  causationId: { column: 'causation_id', kind: 'text', nullable: true, changes: 'never' },
  tenantId: { column: 'tenant_id', kind: 'text', nullable: true, changes: 'never' },
  ownerId: { column: 'owner_id', kind: 'text', nullable: true, changes: 'never' },
  parentCommandId: { column: 'parent_command_id', kind: 'uuid', nullable: true, changes: 'never' },
  retryCount: { column: 'retry_count', kind: 'int', nullable: false, changes: 'never' },
  runAt: { column: 'run_at', kind: 'instant', nullable: true, changes: 'sometimes' },
  priority: { column: 'priority', kind: 'priority', nullable: false, changes: 'never' },
  expiresAt: { column: 'expires_at', kind: 'instant', nullable: true, changes: 'never' },
  lane: { column: 'lane', kind: 'text', nullable: true, changes: 'never' },
  leaseExpiresAt: { column: 'lease_expires_at', kind: 'instant', nullable: true, changes: 'always' },
  nextAttemptAt: { column: 'next_attempt_at', kind: 'instant', nullable: true, changes: 'always' },
  parkedAt: { column: 'parked_at', kind: 'instant', nullable: true, changes: 'always' },
  parkedReason: { column: 'parked_reason', kind: 'text', nullable: true, changes: 'always' },
  snoozedUntil: { column: 'snoozed_until', kind: 'instant', nullable: true, changes: 'always' },
  assignee: { column: 'assignee', kind: 'person', nullable: true, changes: 'sometimes' },
  tags: { column: 'tags', kind: 'tags', nullable: false, changes: 'sometimes' },
  notes: { column: 'notes', kind: 'int', nullable: false, changes: 'sometimes' },
  lastErrorType: { column: 'last_error_type', kind: 'text', nullable: true, changes: 'sometimes' },
  lastErrorCode: { column: 'last_error_code', kind: 'text', nullable: true, changes: 'sometimes' },
  lastErrorMsg: { column: 'last_error_msg', kind: 'message', nullable: true, changes: 'sometimes' },
  lastErrorFrame: { column: 'last_error_frame', kind: 'frame', nullable: true, changes: 'sometimes' },
  dataRevision: { column: 'data_revision', kind: 'revision', nullable: false, changes: 'sometimes' },
  createdAt: { column: 'created_at', kind: 'instant', nullable: false, changes: 'never' },
  updatedAt: { column: 'updated_at', kind: 'instant', nullable: false, changes: 'always' },
  revision: { column: 'revision', kind: 'revision', nullable: false, changes: 'always' },
} as const satisfies { readonly [Name in ColumnName]: CommandColumn<CommandColumns[Name]> }

export type ColumnName = keyof CommandColumns

/** These members of a row under the names of their columns. */
export type Columns<Name extends ColumnName> = {
  readonly [N in Name as (typeof commandColumns)[N]['column']]: CommandColumns[N]
}

export const toColumns = <Name extends ColumnName>(members: Pick<CommandColumns, Name>): Columns<Name> =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => [commandColumns[name as Name].column, value]),
  ) as Columns<Name>

const allBut = <Name extends ColumnName>(hidden: readonly Name[]) =>
  (Object.keys(commandColumns) as ColumnName[]).filter(
    (name): name is Exclude<ColumnName, Name> => !hidden.some(other => other === name),
  )

/** What a command shows in answers and lists. Places in the code are for those who may see its history. */
export const viewColumns = allBut(['dataRevision', 'lastErrorFrame'])

/** What a history shows of a state. */
export const historyColumns = allBut(['domain', 'commandId', 'msgId', 'queueName'])

/** What the list of parked commands shows. */
export const parkedColumns = [
  'domain',
  'commandId',
  'commandType',
  'attempts',
  'maxAttempts',
  'parkedAt',
  'parkedReason',
  'snoozedUntil',
  'assignee',
  'tags',
  'notes',
  'lastErrorType',
  'lastErrorCode',
  'lastErrorMsg',
  'correlationId',
  'replyTo',
  'createdAt',
  'updatedAt',
] as const satisfies readonly ColumnName[]

/** Until when something holds for a parked command, with its label at the command line and in the console. */
export const parkedTimes = [['snoozedUntil', 'Snoozed until']] as const satisfies readonly LabeledTime[]

/** The same for any command. */
export const pendingTimes = [
  ...parkedTimes,
  ['nextAttemptAt', 'Next attempt'],
] as const satisfies readonly LabeledTime[]

/**
 * When the attempt under way began: nothing happens to a command while it runs. The lease in the row is the first one only,
 * and a worker that is well extends it in the queue.
 */
export const runningSince = ({ status, updatedAt }: Pick<CommandColumns, 'status' | 'updatedAt'>): Instant | null =>
  status === 'IN_PROGRESS' ? updatedAt : null

type LabeledTime = readonly [ColumnName, label: string]

/** These members of a row, in this order. */
export const pick = <Row, Name extends keyof Row>(row: Row, names: readonly Name[]): Pick<Row, Name> =>
  Object.fromEntries(names.map(name => [name, row[name]])) as Pick<Row, Name>
