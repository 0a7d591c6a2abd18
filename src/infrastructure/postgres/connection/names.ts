/** The bus's tables, views and functions that SQL in this code names. A test compares the list with the schema. */
export const schemaNames = [
  'command_bus_action',
  'command_bus_action_change',
  'command_bus_action_item',
  'command_bus_admit',
  'command_bus_admit_lanes',
  'command_bus_archive',
  'command_bus_archived_event',
  'command_bus_archived_message',
  'command_bus_archived_stream',
  'command_bus_audit',
  'command_bus_begin',
  'command_bus_caller',
  'command_bus_chain',
  'command_bus_change_lanes',
  'command_bus_check_lanes',
  'command_bus_check_unit',
  'command_bus_checkpoint',
  'command_bus_claim_queues',
  'command_bus_command',
  'command_bus_command_stream',
  'command_bus_commit',
  'command_bus_commit_each',
  'command_bus_commit_reports',
  'command_bus_commit_rows',
  'command_bus_commit_sent',
  'command_bus_credit_account',
  'command_bus_credit_entry',
  'command_bus_delay',
  'command_bus_deliver_replies',
  'command_bus_domain_of',
  'command_bus_enter_lanes',
  'command_bus_event',
  'command_bus_event_content',
  'command_bus_expired',
  'command_bus_extend',
  'command_bus_given',
  'command_bus_grant_queue',
  'command_bus_hand_back',
  'command_bus_hidden',
  'command_bus_in_force',
  'command_bus_intent',
  'command_bus_is_archived',
  'command_bus_is_sending',
  'command_bus_join_lanes',
  'command_bus_keep_strangers',
  'command_bus_lane',
  'command_bus_lane_bucket',
  'command_bus_lane_check',
  'command_bus_lane_entry',
  'command_bus_lane_key',
  'command_bus_lane_limit',
  'command_bus_lane_room',
  'command_bus_lane_rule',
  'command_bus_lane_rules',
  'command_bus_limit',
  'command_bus_link',
  'command_bus_lock',
  'command_bus_lock_lanes',
  'command_bus_make_queue',
  'command_bus_may_commit_columns',
  'command_bus_message_of',
  'command_bus_migration',
  'command_bus_most_queues_of_senders',
  'command_bus_move_lanes',
  'command_bus_next_visible',
  'command_bus_only_sends',
  'command_bus_owners',
  'command_bus_pause',
  'command_bus_paused_message',
  'command_bus_pauses',
  'command_bus_postpone',
  'command_bus_put_aside',
  'command_bus_put_replies',
  'command_bus_put_rows',
  'command_bus_queue_claim',
  'command_bus_queue_figures',
  'command_bus_queue_of',
  'command_bus_read',
  'command_bus_refuse_change',
  'command_bus_refuse_commit',
  'command_bus_refuse_loss',
  'command_bus_rehearsal',
  'command_bus_release',
  'command_bus_remove',
  'command_bus_reschedule',
  'command_bus_schedule',
  'command_bus_schedule_progress',
  'command_bus_seal',
  'command_bus_seal_content',
  'command_bus_sees_lanes',
  'command_bus_send_right',
  'command_bus_settle_strangers',
  'command_bus_share_queue',
  'command_bus_shared_queue',
  'command_bus_show',
  'command_bus_stranger',
  'command_bus_streams',
  'command_bus_sweep_paused',
  'command_bus_take_turns',
  'command_bus_undelivered',
  'command_bus_workflow_run',
  'command_bus_workflow_run_file',
  'command_bus_workflow_template',
] as const

const NAMES = schemaNames.join('|')

/**
 * A name of the bus that stands free: not part of a longer name, not quoted, without a schema. Between quotes it is a name
 * only if it is cast to regclass; elsewhere it is just a text.
 */
const FREE_NAME = new RegExp(
  `(?<![\\w."$'])(?:${NAMES})(?![\\w$])|(?<=to_regclass\\(')(?:${NAMES})(?=')|(?<=')(?:${NAMES})(?='::regclass)`,
  'g',
)

/** Whether a statement names tables or functions of the bus. */
export const namesOurs = (sql: string): boolean => {
  FREE_NAME.lastIndex = 0
  return FREE_NAME.test(sql)
}

/** The statement with the bus's names qualified by `schema`, so that the session's search path does not matter. */
export const inSchema = (sql: string, schema: string): string => sql.replace(FREE_NAME, name => `"${schema}".${name}`)

/**
 * Whether the bus accepts the name for its schema: letters, digits and underscores, at most 63. The name is put into
 * statements, also between quotes.
 */
export const isSchemaName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)
