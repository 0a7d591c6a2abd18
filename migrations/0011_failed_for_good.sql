-- A command that ends FAILED because its failure was permanent has no exhausted retries: the audit says FAILED.
-- Read from the event's error, so commands of the past are told right as well.
create or replace view command_bus_audit as
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
      'max_attempts', e.data#>'{policy,maxAttempts}', 'backoff_seconds', e.data#>'{policy,backoffSeconds}') as details
    where e.type = 'CommandSent'
  union all
  -- a quick success carries its receipt
  select 0, 'RECEIVED', jsonb_build_object(
      'attempt', e.data->'attempt', 'total_attempts', coalesce(e.data->'total', e.data#>'{receipt,total}'),
      'msg_id', (e.data->>'msgId')::bigint,
      'lease_expires_at', coalesce(e.data->'leaseExpiresAt', e.data#>'{receipt,leaseExpiresAt}'),
      'lost', coalesce(e.data->'lost', 'false'))
    where e.type = 'CommandReceived' or e.type = 'CommandCompleted' and e.data ? 'receipt'
  union all
  select 0, 'FAILED', jsonb_build_object('attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint,
      'error_type', e.data#>'{error,type}', 'error_code', e.data#>'{error,code}',
      'error_message', e.data#>'{error,message}', 'error_details', e.data#>'{error,details}')
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
    where e.type in ('CommandMovedToTroubleshooting', 'CommandRejectedByBusinessRule')
      or e.type = 'CommandExhausted' and e.data#>>'{error,type}' in ('TRANSIENT', 'LEASE_LOST')
  union all
  select 1, 'COMPLETED', jsonb_build_object('attempt', e.data->'attempt', 'msg_id', (e.data->>'msgId')::bigint,
      'result', e.data->'result', 'reply_to', e.meta#>'{context,replyTo}')
    where e.type = 'CommandCompleted'
  union all
  select 0, 'CANCELED', jsonb_build_object('reason', e.data->'reason', 'reply_to', e.meta#>'{context,replyTo}')
    where e.type = 'CommandCanceled'
  union all
  select 0, 'OPERATOR_RETRY', jsonb_build_object('operator', e.meta->'actor', 'new_msg_id', e.msg_id,
      'archived_msg_id', (e.data->>'archivedMsgId')::bigint, 'reset_attempts', e.data->'resetAttempts',
      'attempts', e.data->'attempts', 'edited', e.data ? 'data', 'diff', e.data->'diff')
    where e.type = 'OperatorRetried'
  union all
  select 0, 'OPERATOR_CANCEL', jsonb_build_object('operator', e.meta->'actor', 'reason', e.data->'reason',
      'reply_to', e.meta#>'{context,replyTo}', 'reply_sent', e.meta#>>'{context,replyTo}' is not null)
    where e.type = 'OperatorCanceled'
  union all
  select 0, 'OPERATOR_COMPLETE', jsonb_build_object('operator', e.meta->'actor', 'result_data', e.data->'resultData',
      'reply_to', e.meta#>'{context,replyTo}', 'reply_sent', e.meta#>>'{context,replyTo}' is not null)
    where e.type = 'OperatorCompleted'
) line
where e.stream >= 'command-' and e.stream < 'command.';
