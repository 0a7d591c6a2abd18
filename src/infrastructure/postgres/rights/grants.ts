import { type ClientBase, escapeIdentifier } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { inTransaction } from '../connection/with-client.ts'
import { readTableNames } from '../read-tables/read-tables.ts'
import { SEARCH_TABLE } from '../read-tables/search-values.ts'

/** Kinds of database roles; one role may have several. The role that migrates owns everything and needs no grants. */
export const roleKinds = ['sender', 'worker', 'operator', 'reader'] as const
export type RoleKind = (typeof roleKinds)[number]

/** Rights on tables and views, each with the tables and views on which it is granted. */
type TableRights = readonly (readonly [rights: string, tables: readonly string[]])[]

interface Rights {
  readonly tables: TableRights
  readonly functions: readonly string[]
}

const log = 'command_bus_event'
const ofTheLog = ['seal', 'archived_stream', 'archived_event', 'archived_message'].map(name => `command_bus_${name}`)
const kept = ['stranger', 'shared_queue', 'undelivered', 'paused_message'].map(name => `command_bus_${name}`)
const progress = 'command_bus_schedule_progress'
/** The commands of lanes, and what a rate has given to them. */
const lanes = ['command_bus_lane_entry', 'command_bus_lane_bucket']
/** Declared paths of payloads, and named filters of lists. */
const found = ['command_bus_searchable', 'command_bus_view']
/** With secrets, so that readers have no right on them. */
const alerts = ['command_bus_alert', 'command_bus_alert_subject', 'command_bus_alert_delivery']
/** What the service counts from the log, and sees on queues. */
const figures = ['command_bus_type_figure', 'command_bus_error_figure', 'command_bus_queue_sample']
const actions = ['command_bus_action', 'command_bus_action_item', 'command_bus_action_change']

/**
 * What every role needs to check that schema, log and server fit; of events it may read only their place. And which members are
 * sensitive: workers keep them out of errors, and who reads replies hides them.
 */
const everybody: Rights = {
  tables: [
    ['select', ['command_bus_migration', 'command_bus_checkpoint', 'command_bus_sensitive', ...ofTheLog]],
    ['select (xid, position)', [log]],
  ],
  functions: ['command_bus_streams(text[], bigint)'],
}

const writer = [
  'command_bus_commit(jsonb)',
  'command_bus_commit_each(jsonb)',
  'command_bus_commit_sent(text[], uuid[], uuid[], jsonb[], jsonb[])',
  `command_bus_commit_reports(text[], uuid[], bigint[], uuid[], text[], jsonb[], jsonb[], integer[], uuid[], text[], jsonb[], jsonb[], bigint[],
    text[], integer[], integer[], timestamptz[], timestamptz[], timestamptz[], text[], text[], text[], text[], text[], timestamptz[], text[], bigint[],
    double precision[], text[], jsonb[])`,
  'command_bus_make_queue(text)',
  'command_bus_lane_rules()',
]

/** Whether there is a worker for a type; a sender may ask, too. */
const handled = 'command_bus_is_handled(text, text)'

/** Which members are sensitive. */
const declares = 'command_bus_declare_sensitive(jsonb)'

const reader: Rights = {
  tables: [
    [
      'select',
      [
        log,
        'command_bus_audit',
        'command_bus_intent',
        'command_bus_worker',
        ...kept,
        ...actions,
        progress,
        ...lanes,
        ...found,
        ...figures,
        ...readTableNames,
      ],
    ],
  ],
  functions: [
    'command_bus_queue_figures(text[], jsonb)',
    'command_bus_unread_since(text[])',
    'command_bus_command_stream(text, uuid)',
    'command_bus_lane_limit(text, text)',
    'command_bus_lane_rule(text, text, text)',
    handled,
    'command_bus_unhandled(text, text)',
  ],
}

const sender: Rights = {
  tables: [],
  functions: [
    ...writer,
    'command_bus_send_right()',
    'command_bus_lane_rules()',
    'command_bus_claim_queues(text[], text, integer, integer)',
    handled,
  ],
}

const worker: Rights = {
  tables: [],
  functions: [
    ...writer,
    'command_bus_read(text, double precision, integer, double precision)',
    'command_bus_next_visible(text, double precision)',
    'command_bus_message_of(text, text, jsonb, jsonb)',
    'command_bus_owners(text, text, bigint[], uuid[])',
    'command_bus_expired(integer)',
    'command_bus_extend(text, bigint[], integer[], interval)',
    'command_bus_hand_back(text, bigint[], integer[], interval, boolean)',
    'command_bus_archive(text, bigint[])',
    'command_bus_keep_strangers(text, jsonb)',
    'command_bus_remove(text, bigint[])',
    'command_bus_share_queue(text)',
    'command_bus_pauses(text[])',
    'command_bus_put_aside(text, bigint[], integer[], uuid[])',
    'command_bus_release(text, uuid, integer)',
    'command_bus_sweep_paused(text, timestamptz, bigint, integer)',
    'command_bus_begin(text, bigint[], integer[], uuid[])',
    'command_bus_admit_lanes(text)',
    'command_bus_beat(jsonb, uuid[])',
    declares,
  ],
}

/** Besides sending and reading: bulk actions, runs with their credits, rehearsals and the service's own work. */
const operator: Rights = {
  tables: [
    ...reader.tables,
    ['insert, update', actions],
    ['select, insert, update, delete', alerts],
    ['insert, update', ['command_bus_checkpoint', progress]],
    ['insert', ['command_bus_seal', 'command_bus_rehearsal']],
    ['insert, update, delete', [...found, SEARCH_TABLE]],
    ['insert, update, delete', ['command_bus_intent', ...figures]],
    ['delete', ['command_bus_sensitive']],
  ],
  functions: [
    ...sender.functions,
    ...reader.functions,
    declares,
    'command_bus_expired(integer)',
    'command_bus_admit_lanes(text)',
    'command_bus_commit_rows(jsonb)',
    'command_bus_count_figures(integer)',
    'command_bus_figures_begin()',
    'command_bus_deliver_replies(bigint[], text, text)',
    'command_bus_settle_strangers(bigint[], uuid[], text, text)',
  ],
}

/** The rights that each kind of role needs, besides `usage` of the two schemas. No other place lists them. */
export const rightsOf: { readonly [Kind in RoleKind]: Rights } = { sender, worker, operator, reader }

/** Raised when rights cannot be granted; `message` says what to do. */
export class GrantError extends CommandBusError {
  override readonly name = 'GrantError'
  constructor(message: string, options?: ErrorOptions) {
    super('GRANT_REFUSED', message, options)
  }
}

export interface Grantee {
  readonly kind: RoleKind
  readonly role: string
}

/**
 * The statements that grant roles what they need, in the schema that holds the bus's tables. They revoke nothing and may be
 * run again; the last ones are for existing queues.
 * @throws GrantError for a role that does not exist, or a database that was not migrated
 */
export const grantStatements = async (client: ClientBase, grantees: readonly Grantee[]): Promise<readonly string[]> => {
  const schema = escapeIdentifier(await schemaOf(client))
  await requireRoles(client, grantees)
  const statements = grantees.flatMap(({ kind, role }) => {
    const to = `to ${escapeIdentifier(role)};`
    return [
      `grant usage on schema ${schema}, pgmq ${to}`,
      `grant select on pgmq.meta ${to}`,
      ...[everybody, rightsOf[kind]].flatMap(({ tables, functions }) => [
        ...tables.map(([rights, on]) => `grant ${rights} on ${on.map(name => `${schema}.${name}`).join(', ')} ${to}`),
        `grant execute on function ${functions.map(name => `${schema}.${name}`).join(', ')} ${to}`,
      ]),
    ]
  })
  return [...new Set(statements), forQueuesOf(schema)]
}

/** SQL: grants rights on the bus's queues, and not on other queues of pgmq. */
const forQueuesOf = (schema: string): string =>
  `select ${schema}.command_bus_grant_queue(m.queue_name) from pgmq.meta m
join pg_class c on c.oid = to_regclass(format('pgmq.%I', 'q_' || m.queue_name)) and pg_has_role(c.relowner, 'usage')
where ${schema}.command_bus_domain_of(m.queue_name) is not null
  or m.queue_name in (select reply_queue from ${schema}.command_bus_command)
order by m.queue_name;`

const schemaOf = async (client: ClientBase): Promise<string> => {
  const { rows } = await client.query<{ schema: string }>(
    `select n.nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = to_regclass('command_bus_stranger')`,
  )
  if (rows[0] === undefined) throw new GrantError('the tables do not exist yet: run `commandbus migrate` first')
  return rows[0].schema
}

const rolesOf = (grantees: readonly Grantee[]): readonly string[] => [...new Set(grantees.map(({ role }) => role))]

const requireRoles = async (client: ClientBase, grantees: readonly Grantee[]): Promise<void> => {
  const { rows } = await client.query<{ role: string }>(
    'select r.role from unnest($1::text[]) r(role) where not exists (select from pg_roles p where p.rolname = r.role)',
    [rolesOf(grantees)],
  )
  if (rows.length === 0) return
  const names = rows.map(({ role }) => escapeIdentifier(role))
  throw new GrantError(`there is no role ${names.join(', ')}: create it first, as in \`create role ${names[0]} login\``)
}

/**
 * Grants roles all that they need, or nothing.
 * @throws GrantError also where only the owner of pgmq can grant a right, of which PostgreSQL itself only warns
 */
export const grant = async (client: ClientBase, grantees: readonly Grantee[]): Promise<readonly string[]> => {
  const statements = await grantStatements(client, grantees)
  await inTransaction(client, async () => {
    for (const statement of statements) await client.query(statement)
    await requireUseOfPgmq(client, grantees)
  })
  return statements
}

const requireUseOfPgmq = async (client: ClientBase, grantees: readonly Grantee[]): Promise<void> => {
  const { rows } = await client.query<{ role: string; me: string }>(
    `select r.role, current_user::text as me from unnest($1::text[]) r(role)
     where not has_schema_privilege(r.role, 'pgmq', 'usage') or not has_table_privilege(r.role, 'pgmq.meta', 'select')`,
    [rolesOf(grantees)],
  )
  const [first] = rows
  if (first === undefined) return
  const to = rows.map(({ role }) => escapeIdentifier(role)).join(', ')
  throw new GrantError(
    `pgmq was installed by another role, and ${escapeIdentifier(first.me)} cannot give others the use of it: let the owner of ` +
      `schema pgmq run \`grant usage on schema pgmq to ${to}; grant select on pgmq.meta to ${to}\`, then try again`,
  )
}
