-- Rights. Functions that write run with the rights of their owner, the role that migrates, so that other roles need no rights
-- on the tables; `commandbus grants` prints which role may execute which. These rights mark the roles:
--
--   sender    execute on command_bus_send_right    worker   execute on command_bus_read
--   operator  insert on command_bus_action         reader   select on command_bus_command

-- The events of the given streams, in order. A role that knows a command's id may read its events. Other streams have names
-- that can be guessed, and need the right to read the log.
create function command_bus_streams(streams text[], since bigint)
returns table (stream text, revision bigint, id uuid, type text, data jsonb, meta jsonb, msg_id bigint)
language plpgsql stable
set enable_seqscan = off
as $$
begin
  if exists (select from unnest(streams) s where not starts_with(s, 'command-'))
    and not has_table_privilege(command_bus_caller(), 'command_bus_event'::regclass, 'select')
  then
    raise exception 'role % may not read these streams', quote_ident(command_bus_caller()) using errcode = 'insufficient_privilege';
  end if;
  return query select e.stream, e.revision, e.id, e.type, e.data, e.meta, e.msg_id from command_bus_event e
    where e.stream = any (streams) and e.revision >= since order by e.stream, e.revision;
end $$;

-- Messages or replies of a unit, one by one.
create function command_bus_given(parts jsonb) returns table (event int, given jsonb) language sql immutable as $$
  select x.event::int, jsonb_build_array(p->'queue', x.event, x.body, coalesce(x.run_at, 'null')) from jsonb_array_elements(parts) p
  cross join lateral rows from (jsonb_array_elements(p->'events'), jsonb_array_elements(p->'bodies'), jsonb_array_elements(p->'runAts')) x(event, body, run_at)
  -- so that a later sort works on these rows, not on the larger parts
  offset 0 $$;

-- Whether a unit of work is one that the library makes to send or cancel commands. Each row, message and reply is compared with
-- the one that follows from its event, so that a role that only sends cannot contradict the log. The same in TypeScript:
-- src/projections/command-row.ts, src/projections/outbox.ts.
create function command_bus_is_sending(unit jsonb) returns boolean
language plpgsql stable as $$
declare
  v_right boolean;
begin
  with given as (
    select x.*, substr(x.stream, 9, length(x.stream) - 45) as domain, right(x.stream, 36) as command_id,
      x.meta->'at' as at, x.type = 'CommandSent' as sent,
      case when x.type = 'CommandSent' then jsonb_strip_nulls(jsonb_build_object('commandType', x.data->'commandType',
        'correlationId', x.data->'correlationId', 'causationId', x.data->'causationId', 'replyTo', x.data->'replyTo',
        'tenantId', x.data->'tenantId', 'priority', x.data->'priority', 'lane', x.data->'lane', 'traceparent', x.data->'traceparent'))
      else (select f.meta->'context' from command_bus_event f where f.stream = x.stream collate "C" and f.revision = 0) end as context
    from jsonb_to_recordset(unit->'events') x(event int, stream text, revision bigint, type text, data jsonb, meta jsonb)
  ), e as materialized (
    select given.*, command_bus_queue_of(domain, context->>'priority') as queue from given
  ), ends as (
    -- a cancellation without the event before it loses its race
    select e.*, coalesce(e.data->'reason', 'null') as reason,
      (select p.type in ('CommandSent', 'CommandRescheduled', 'CommandFailed', 'OperatorRetried') from command_bus_event p
        where p.stream = e.stream collate "C" and p.revision = e.revision - 1) as was_pending
    from e where not e.sent
  )
  select
    not exists (select from jsonb_object_keys(unit) k
      where k not in ('atomic', 'careful', 'events', 'rows', 'messages', 'moves', 'current', 'replies', 'lanes'))
    and not exists (
      select from e where coalesce(
        e.stream !~ '^command-[a-z][a-z0-9]*([._-][a-z0-9]+)*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        or e.meta#>>'{at}' !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$' or jsonb_typeof(e.meta->'actor') <> 'string'
        or e.meta <> jsonb_build_object('v', 1, 'at', e.at, 'actor', e.meta->'actor', 'context', e.context)
        or e.sent and (e.revision <> 0 or not e.data ? 'data' or e.data ? 'adopted' or length(e.data->>'commandType') > 128
          or e.data ? 'priority' and e.data->>'priority' not in ('high', 'low')
          or (e.data->>'runAt')::timestamptz is null and e.data ? 'runAt' or (e.data->>'expiresAt')::timestamptz is null and e.data ? 'expiresAt'
          or e.data ? 'lane' and (jsonb_typeof(e.data->'lane') <> 'string' or length(e.data->>'lane') > 229)
          or e.data ? 'limit' and jsonb_typeof(e.data->'limit') <> 'string' or e.data ? 'traceparent' and jsonb_typeof(e.data->'traceparent') <> 'string'
          or not coalesce(e.data @@ 'strict $.commandType like_regex "^[A-Za-z][A-Za-z0-9_.:-]*$" && $.correlationId.type() == "string"
            && ($.replyTo == null || $.replyTo like_regex "^[a-z_]([a-z0-9_]|-)*$" && !($.replyTo like_regex "__commands(__high|__low)?$"))
            && ($.causationId == null || $.causationId.type() == "string") && ($.tenantId == null || $.tenantId.type() == "string")
            && ($.ownerId == null || $.ownerId.type() == "string") && ($.parentCommandId == null || $.parentCommandId.type() == "string")
            && $.retryCount >= 0 && $.retryCount <= 2147483647 && $.policy.maxAttempts >= 1 && $.policy.maxAttempts <= 100
            && $.policy.jitter >= 0 && $.policy.jitter <= 1 && ($.policy.onExhausted == "park" || $.policy.onExhausted == "fail")
            && $.policy.backoffSeconds.type() == "array" && $.policy.backoffSeconds.size() > 0
            && !exists($.policy.backoffSeconds[*] ? (@.type() != "number" || @ < 0 || @ > 2592000))', false)), true))
    and (select count(distinct e.stream) = count(*) and count(distinct e.event) = count(*)
        and coalesce(min(e.event) = 0 and max(e.event) = count(*) - 1, true) from e)
    and not exists (select from ends where revision <= 0 or not coalesce(was_pending, true)
      or not (data ? 'reason' and jsonb_typeof(reason) in ('string', 'null')))
    and (select array_agg(x order by (x->>'event')::int) from jsonb_array_elements(unit->'rows') x) is not distinct from (
      select array_agg(jsonb_strip_nulls(jsonb_build_object('event', e.event, 'domain', e.domain, 'command_id', e.command_id,
        'command_type', e.data->'commandType', 'status', 'PENDING', 'attempts', 0, 'max_attempts', e.data#>'{policy,maxAttempts}',
        'total_attempts', 0, 'queue_name', e.queue, 'reply_queue', e.data->'replyTo', 'correlation_id', e.data->'correlationId',
        'causation_id', e.data->'causationId', 'tenant_id', e.data->'tenantId', 'owner_id', e.data->'ownerId',
        'parent_command_id', e.data->'parentCommandId', 'retry_count', e.data->'retryCount', 'run_at', e.data->'runAt', 'priority', coalesce(e.data->>'priority', 'normal'),
        'expires_at', e.data->'expiresAt', 'lane', e.data->'lane', 'tags', '[]'::jsonb, 'notes', 0, 'data_revision', 0,
        'created_at', e.at, 'updated_at', e.at, 'revision', 0)) order by e.event) from e where e.sent)
    and (select array_agg(g.given order by g.event) from command_bus_given(unit->'messages') g) is not distinct from (
      select array_agg(jsonb_build_array(e.queue, e.event, command_bus_message_of(e.domain, e.command_id, e.data, e.meta),
        coalesce(e.data->'runAt', 'null')) order by e.event)
      from e where e.sent)
    and (select array_agg(x order by command_bus_command_stream(x->>'domain', (x->>'command_id')::uuid) collate "C")
        from jsonb_array_elements(unit->'moves') x) is not distinct from (
      select array_agg(jsonb_build_object('domain', domain, 'command_id', command_id, 'after', revision - 1, 'status', 'CANCELED',
        'updated_at', at, 'revision', revision) order by stream collate "C") from ends)
    and (select array_agg(x order by x->>'stream' collate "C") from jsonb_array_elements(unit->'current') x) is not distinct from (
      select array_agg(jsonb_build_object('stream', stream, 'queue', queue, 'domain', domain, 'command_id', command_id)
        order by stream collate "C") from ends)
    and (select array_agg(x order by (x->>'event')::int) from jsonb_array_elements(unit->'lanes') x) is not distinct from (
      select array_agg(jsonb_build_object('event', event, 'domain', domain, 'command_id', command_id, 'lane', context->'lane') || case
        when sent then jsonb_strip_nulls(jsonb_build_object('op', 'enter', 'queue', queue, 'limit', data->'limit', 'run_at', data->'runAt'))
        else '{"op": "leave"}' end order by event)
      from e where context ? 'lane')
    and (select array_agg(g.given order by g.event) from command_bus_given(unit->'replies') g) is not distinct from (
      select array_agg(jsonb_build_array(context->'replyTo', event, jsonb_build_object('command_id', command_id,
        'correlation_id', context->'correlationId', 'domain', domain, 'type', (context->>'commandType') || 'Response', 'completed_at', at,
        'outcome', 'CANCELED', 'reason', said, 'error', jsonb_build_object('code', 'SENDER_CANCELED', 'message', said, 'class', 'SENDER'))
        || jsonb_strip_nulls(jsonb_build_object('traceparent', context->'traceparent')), null) order by event)
      from (select ends.*, coalesce(data->>'reason', 'canceled by the sender') as said from ends where ends.context ? 'replyTo') c)
    into v_right;
  return coalesce(v_right, false);
end $$;

-- Refuses a unit of work that the caller may not commit: senders send and cancel, workers report on commands, and roles that
-- may make bulk actions may do everything (and are not checked).
create function command_bus_check_unit(unit jsonb) returns void
language plpgsql as $$
declare
  v_caller  name := command_bus_caller();
  v_sends   boolean := has_function_privilege(v_caller, 'command_bus_send_right()'::regprocedure, 'execute');
  v_works   boolean := has_function_privilege(v_caller,
    'command_bus_read(text, double precision, integer, double precision)'::regprocedure, 'execute');
  v_events  jsonb := coalesce(unit->'events', '[]') || coalesce(unit->'more', '[]');
  v_streams text[] := array(select x->>'stream' from jsonb_array_elements(v_events) x);
  v_refused text;
begin
  select x->>'type' into v_refused from jsonb_array_elements(v_events) x
    where (x->>'stream') not like 'command-%' or not coalesce(case
      when x->>'type' in ('CommandSent', 'CommandCanceled') then v_sends
      when x->>'type' in ('CommandReceived', 'CommandCompleted', 'CommandFailed', 'CommandMovedToTroubleshooting',
        'CommandRejectedByBusinessRule', 'CommandExhausted', 'CommandExpired') then v_works end, false)
    limit 1;
  if found then
    raise exception 'role % may not append %', quote_ident(v_caller), v_refused using errcode = 'insufficient_privilege';
  end if;
  if not v_works then
    if not command_bus_is_sending(unit) then
      raise exception 'role % may not commit this unit of work', quote_ident(v_caller) using errcode = 'insufficient_privilege';
    end if;
    return;
  end if;
  -- messages go to and leave command queues only, and undelivered replies belong to the unit's own commands
  if unit ? 'resends' or unit ? 'tables' or unit ? 'messages' and not v_sends or unit ? 'acks' and not v_works or exists (
    select from jsonb_array_elements(coalesce(unit->'messages', '[]') || coalesce(unit->'acks', '[]') || coalesce(unit->'current', '[]')) x
    where command_bus_domain_of(x->>'queue') is null) or exists (
    select from jsonb_array_elements(coalesce(unit->'replies', '[]')) x
    cross join lateral jsonb_array_elements(case when (unit->>'careful')::boolean or command_bus_domain_of(lower(x->>'queue')) is not null then x->'bodies' else '[]' end) b
    where coalesce(command_bus_command_stream(b->>'domain', (b->>'command_id')::uuid) <> all (v_streams), true)) or exists (
    select from jsonb_array_elements(coalesce(unit->'rows', '[]') || coalesce(unit->'moves', '[]') || coalesce(unit->'current', '[]')
      || coalesce(unit->'lanes', '[]')) x
    where command_bus_command_stream(x->>'domain', (x->>'command_id')::uuid) <> all (v_streams)
      or x ? 'stream' and x->>'stream' <> all (v_streams)) or exists (
    select from jsonb_array_elements(coalesce(unit->'lanes', '[]')) x
    where x ? 'queue' and command_bus_domain_of(x->>'queue') is distinct from x->>'domain')
  then
    raise exception 'role % may not commit this unit of work', quote_ident(v_caller) using errcode = 'insufficient_privilege';
  end if;
end $$;

-- These run as their owner. The transaction that applies this file also fixes their search path, to which nobody else can add
-- objects.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.proname in ('command_bus_commit', 'command_bus_commit_each', 'command_bus_commit_rows', 'command_bus_commit_sent', 'command_bus_commit_reports',
      'command_bus_streams', 'command_bus_read', 'command_bus_next_visible', 'command_bus_extend', 'command_bus_hand_back',
      'command_bus_archive', 'command_bus_keep_strangers', 'command_bus_remove', 'command_bus_share_queue', 'command_bus_settle_strangers', 'command_bus_owners', 'command_bus_expired', 'command_bus_make_queue', 'command_bus_claim_queues', 'command_bus_queue_figures', 'command_bus_deliver_replies',
      'command_bus_put_aside', 'command_bus_pauses', 'command_bus_release', 'command_bus_sweep_paused',
      'command_bus_lane_rules', 'command_bus_begin', 'command_bus_admit_lanes')
  loop
    execute format('alter function %s security definer', v_function);
    execute format('revoke all on function %s from public', v_function);
  end loop;
end $$;

-- only marks a right
revoke all on function command_bus_send_right() from public;
-- only for the owner and these functions
revoke all on function command_bus_put_rows(regclass, jsonb, text[]) from public;
revoke all on function command_bus_grant_queue(text) from public;
revoke all on function command_bus_tend_queue(text) from public;
revoke all on function command_bus_put_replies(text, jsonb[]) from public;
revoke all on function command_bus_postpone(text, bigint[], float8[], boolean) from public;
revoke all on function command_bus_delay(text, bigint[], jsonb) from public;
revoke all on function command_bus_reschedule(text, text, uuid, timestamptz) from public;
revoke all on function command_bus_is_archived(text[]) from public;
revoke all on function command_bus_show(text, bigint[], timestamptz) from public;
revoke all on function command_bus_admit(text[], text[]) from public;
revoke all on function command_bus_change_settings(text, text) from public;
revoke all on function command_bus_move_lanes(jsonb, bigint[], int[]) from public;
revoke all on function command_bus_change_lanes(jsonb, bigint[], int[]) from public;
revoke all on function command_bus_enter_lanes(jsonb, bigint[], int[]) from public;
revoke all on function command_bus_take_turns(text, uuid[]) from public;
revoke all on function command_bus_join_lanes(text, uuid[], bigint[], int[], uuid[]) from public;
revoke all on function command_bus_check_lanes(jsonb) from public;
