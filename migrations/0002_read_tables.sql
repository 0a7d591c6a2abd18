-- One row for each command, changed by its events in the transaction that appends them.
create table command_bus_command (
  domain            text collate "C" not null,
  command_id        uuid not null,
  command_type      text collate "C" not null,
  status            text collate "C" not null,
  attempts          int not null,
  max_attempts      int not null,
  total_attempts    int not null,
  msg_id            bigint,
  queue_name        text collate "C" not null,
  reply_queue       text collate "C",
  correlation_id    text collate "C" not null,
  causation_id      text collate "C",
  tenant_id         text collate "C",
  owner_id          text collate "C",
  parent_command_id uuid,
  retry_count       int not null,
  -- not before
  run_at            timestamptz,
  priority          text collate "C" not null default 'normal',
  -- if nobody has begun it by then, it is canceled
  expires_at        timestamptz,
  lane              text collate "C",
  lease_expires_at  timestamptz,
  next_attempt_at   timestamptz,
  parked_at         timestamptz,
  parked_reason     text collate "C",
  -- until then it is left out of counts and alarms
  snoozed_until     timestamptz,
  -- what operators have written down; as an assignee, '' is nobody
  assignee          text collate "C",
  tags              text[] collate "C" not null default '{}',
  notes             int not null default 0,
  last_error_type   text collate "C",
  last_error_code   text collate "C",
  last_error_msg    text,
  -- where in the user's own code it was thrown; empty: not known
  last_error_frame  text collate "C",
  data_revision     bigint not null,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  revision          bigint not null,
  constraint command_bus_command_pkey primary key (domain, command_id),
  constraint command_bus_command_status check (
    status in ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE')),
  constraint command_bus_command_priority check (priority in ('high', 'normal', 'low')),
  constraint command_bus_command_attempts check (
    attempts >= 0 and total_attempts >= attempts and max_attempts between 1 and 100),
  constraint command_bus_command_lease check ((status = 'IN_PROGRESS') = (lease_expires_at is not null)),
  constraint command_bus_command_wait check (next_attempt_at is null or status = 'PENDING'),
  constraint command_bus_command_parked check (
    (status = 'IN_TROUBLESHOOTING_QUEUE') = (parked_at is not null)
    and (parked_at is null) = (parked_reason is null)
    and (parked_at is null or last_error_code is not null)
    and (snoozed_until is null or parked_at is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- Each entry is written with every command, and again with most changes of its row: there is an index only where a list needs it.
-- Lists read them backwards, newest first; the id makes the order total, so that a page can begin after any row. Ascending, new
-- entries go to the end of their part, where pages fill up instead of being split in half.
-- A list of all domains merges theirs.
create index command_bus_command_domain_newest on command_bus_command (domain, created_at, command_id);
-- The default correlation id is the command's own, which the primary key finds.
create index command_bus_command_correlation on command_bus_command (correlation_id)
  where correlation_id <> command_id::text;
-- few commands are unfinished: these stay small however long the history grows
create index command_bus_command_open on command_bus_command (status, domain, created_at, command_id, command_type)
  where status in ('PENDING', 'IN_PROGRESS', 'FAILED', 'IN_TROUBLESHOOTING_QUEUE');
-- few are canceled, and have to be found among millions
create index command_bus_command_canceled on command_bus_command (created_at, command_id)
  where status = 'CANCELED';
create index command_bus_command_parked_newest on command_bus_command (parked_at desc, command_id desc)
  where status = 'IN_TROUBLESHOOTING_QUEUE';
create index command_bus_command_parked_domain on command_bus_command (domain, parked_at desc, command_id desc)
  where status = 'IN_TROUBLESHOOTING_QUEUE';
-- those that are taken off the counts
create index command_bus_command_snoozed on command_bus_command (snoozed_until)
  where snoozed_until is not null;
create index command_bus_command_error on command_bus_command (last_error_code, created_at, command_id)
  where last_error_code is not null;
create index command_bus_command_owner on command_bus_command (owner_id, created_at, command_id)
  where owner_id is not null;
create index command_bus_command_parent on command_bus_command (parent_command_id)
  where parent_command_id is not null;
-- those that wait for their time, and those that can expire
create index command_bus_command_scheduled on command_bus_command (created_at, command_id)
  where run_at is not null and status = 'PENDING';
create index command_bus_command_expiring on command_bus_command (expires_at)
  where expires_at is not null and status = 'PENDING';
-- A tenant's own commands, newest first. Those without a tenant are not in it.
create index command_bus_command_tenant_newest on command_bus_command (tenant_id, created_at, command_id)
  where tenant_id is not null;

-- The audit is a view of the log. Filter by `stream` to read one command by the log's key.
-- A permanent failure that ends a command is FAILED, as no retries were exhausted.
create view command_bus_audit as
select
  e.position * 2 + line.part as audit_id,
  substr(e.stream, 9, length(e.stream) - 45) as domain,
  right(e.stream, 36)::uuid as command_id,
  line.event_type,
  coalesce(case line.event_type when 'RECEIVED' then e.data#>>'{receipt,at}' end, e.meta->>'at')::timestamptz as ts,
  e.meta->>'actor' as actor,
  line.details as details_json,
  e.revision,
  e.stream
from command_bus_event e
cross join lateral (
  select 0 as part, 'SENT' as event_type, jsonb_build_object(
      'command_type', e.data->'commandType', 'correlation_id', e.data->'correlationId',
      'causation_id', e.data->'causationId', 'reply_to', e.data->'replyTo', 'msg_id', e.msg_id,
      'max_attempts', e.data#>'{policy,maxAttempts}', 'backoff_seconds', e.data#>'{policy,backoffSeconds}')
      || jsonb_strip_nulls(jsonb_build_object('run_at', e.data->'runAt', 'priority', e.data->'priority', 'expires_at', e.data->'expiresAt', 'lane', e.data->'lane',
        'adopted_from', e.data#>'{adopted,queue}', 'adopted_msg_id', (e.data#>>'{adopted,msgId}')::bigint)) as details
    where e.type = 'CommandSent'
  union all
  -- a quick success carries its receipt
  select 0, 'RECEIVED', jsonb_build_object(
      'attempt', e.data->'attempt', 'total_attempts', coalesce(e.data->'total', e.data#>'{receipt,total}'),
      'msg_id', (e.data->>'msgId')::bigint,
      'lease_expires_at', coalesce(e.data->'leaseExpiresAt', e.data#>'{receipt,leaseExpiresAt}'),
      'lost', coalesce(e.data->'lost', 'false'))
      || jsonb_strip_nulls(jsonb_build_object('build', e.data->'build'))
    where e.type = 'CommandReceived' or e.type = 'CommandCompleted' and e.data ? 'receipt'
  union all
  select 0, 'FAILED', jsonb_build_object('attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint,
      'error_type', e.data#>'{error,type}', 'error_code', e.data#>'{error,code}',
      'error_message', e.data#>'{error,message}', 'error_details', e.data#>'{error,details}')
      || jsonb_strip_nulls(jsonb_build_object('error_stack', e.data#>'{error,stack}', 'error_causes', e.data#>'{error,causes}', 'build', e.data->'build'))
    where e.type = 'CommandFailed'
      or e.type = 'CommandExhausted' and e.data#>>'{error,type}' not in ('TRANSIENT', 'LEASE_LOST')
  union all
  select 1, 'RETRY_SCHEDULED', jsonb_build_object('attempt', e.data->'attempt', 'retry_at', e.data->'retryAt')
    where e.type = 'CommandFailed'
  union all
  select 0,
    case e.type
      when 'CommandMovedToTroubleshooting' then 'MOVED_TO_TROUBLESHOOTING_QUEUE'
      when 'CommandRejectedByBusinessRule' then 'BUSINESS_RULE_FAILED'
      else 'RETRY_EXHAUSTED' end,
    jsonb_build_object('attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint, 'reason', e.data->'reason',
      'error_type', e.data#>'{error,type}', 'error_code', e.data#>'{error,code}',
      'error_message', e.data#>'{error,message}', 'error_details', e.data#>'{error,details}')
      || jsonb_strip_nulls(jsonb_build_object('error_stack', e.data#>'{error,stack}', 'error_causes', e.data#>'{error,causes}', 'build', e.data->'build'))
    where e.type in ('CommandMovedToTroubleshooting', 'CommandRejectedByBusinessRule')
      or e.type = 'CommandExhausted' and e.data#>>'{error,type}' in ('TRANSIENT', 'LEASE_LOST')
  union all
  select 1, 'COMPLETED', jsonb_build_object('attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint,
      'result', e.data->'result', 'reply_to', e.meta#>'{context,replyTo}')
      || jsonb_strip_nulls(jsonb_build_object('build', e.data->'build'))
    where e.type = 'CommandCompleted'
  union all
  select 0, 'CANCELED', jsonb_build_object('reason', e.data->'reason', 'reply_to', e.meta#>'{context,replyTo}')
    where e.type = 'CommandCanceled'
  union all
  select 0, 'RESCHEDULED', jsonb_build_object('run_at', e.data->'runAt')
    where e.type = 'CommandRescheduled'
  union all
  select 0, 'COMMAND_EXPIRED', jsonb_build_object('expires_at', e.data->'expiresAt', 'reply_to', e.meta#>'{context,replyTo}')
    where e.type = 'CommandExpired'
  union all
  select 0, 'OPERATOR_RETRY', jsonb_build_object('operator', e.meta->'actor', 'new_msg_id', e.msg_id,
      'archived_msg_id', (e.data->>'archivedMsgId')::bigint, 'reset_attempts', e.data->'resetAttempts',
      'attempts', e.data->'attempts', 'edited', e.data ? 'data', 'diff', e.data->'diff')
      || jsonb_strip_nulls(jsonb_build_object('reason', e.data->'reason'))
    where e.type = 'OperatorRetried'
  union all
  select 0, 'OPERATOR_CANCEL', jsonb_build_object('operator', e.meta->'actor', 'reason', e.data->'reason',
      'reply_to', e.meta#>'{context,replyTo}', 'reply_sent', e.meta#>>'{context,replyTo}' is not null)
    where e.type = 'OperatorCanceled'
  union all
  select 0, 'OPERATOR_COMPLETE', jsonb_build_object('operator', e.meta->'actor', 'result_data', e.data->'resultData',
      'reply_to', e.meta#>'{context,replyTo}', 'reply_sent', e.meta#>>'{context,replyTo}' is not null)
      || jsonb_strip_nulls(jsonb_build_object('reason', e.data->'reason'))
    where e.type = 'OperatorCompleted'
  union all
  select 0, 'OPERATOR_SNOOZE', jsonb_build_object('operator', e.meta->'actor', 'until', e.data->'until',
      'reason', e.data->'reason')
    where e.type = 'OperatorSnoozed'
  union all
  select 0, 'OPERATOR_NOTE', jsonb_build_object('operator', e.meta->'actor', 'text', e.data->'text', 'number', e.data->'number')
    where e.type = 'OperatorNoted'
  union all
  select 0, 'OPERATOR_ASSIGN', jsonb_build_object('operator', e.meta->'actor', 'assignee', e.data->'assignee')
    where e.type = 'OperatorAssigned'
  union all
  select 0, 'OPERATOR_TAG', jsonb_build_object('operator', e.meta->'actor', 'tags', e.data->'tags')
    where e.type = 'OperatorTagged'
  union all
  select 0, 'OPERATOR_END_ATTEMPT', jsonb_build_object('operator', e.meta->'actor', 'reason', e.data->'reason',
      'attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint)
    where e.type = 'OperatorEndedAttempt'
) line
where e.stream >= 'command-' and e.stream < 'command.';

-- To find what caused what. Parents and correlation ids have an index already.
create index command_bus_command_causation on command_bus_command (causation_id)
  where causation_id is not null;

-- Lists of parked commands, those with most attempts first; few commands are parked.
create index command_bus_command_parked_attempts on command_bus_command (attempts desc, command_id desc, domain desc)
  where status = 'IN_TROUBLESHOOTING_QUEUE';

-- Counts of what is parked, by cause, place and tenant, without reading the rows: parked commands lie scattered over the whole table.
-- The newest of a cause is found by its time.
create index command_bus_command_parked_causes
  on command_bus_command (domain, command_type, last_error_code, parked_at, command_id) include (last_error_frame, tenant_id, snoozed_until)
  where status = 'IN_TROUBLESHOOTING_QUEUE';
