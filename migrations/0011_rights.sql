-- Who may do what. Functions that write run with the rights of their owner, the role that migrates, so that others need
-- no rights on the tables; `commandbus grants` says which role may call which. What a right to insert or to call names:
--
--   sender    execute on command_bus_send_right    worker   execute on command_bus_read
--   operator  insert on command_bus_action         reader   select on command_bus_command

-- The events of the streams that are named, in order: whoever knows a command's id may read its events. Other streams
-- have names that can be guessed, and are for those who may read the log.
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

-- Refuses a unit of work that is not the caller's to commit: senders send and cancel, workers report on commands, and
-- whoever makes bulk actions may do everything (and is not asked).
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
        'CommandRejectedByBusinessRule', 'CommandExhausted') then v_works end, false)
    limit 1;
  if found then
    raise exception 'role % may not append %', quote_ident(v_caller), v_refused using errcode = 'insufficient_privilege';
  end if;
  -- messages are put and taken away where such belong, and replies that may be kept are of the unit's own commands
  if unit ? 'resends' or unit ? 'tables' or unit ? 'messages' and not v_sends or unit ? 'acks' and not v_works or exists (
    select from jsonb_array_elements(coalesce(unit->'messages', '[]') || coalesce(unit->'acks', '[]') || coalesce(unit->'current', '[]')) x
    where right(x->>'queue', 10) <> '__commands') or exists (
    select from jsonb_array_elements(coalesce(unit->'replies', '[]')) x
    cross join lateral jsonb_array_elements(case when (unit->>'careful')::boolean or right(x->>'queue', 10) = '__commands' then x->'bodies' else '[]' end) b
    where coalesce(command_bus_command_stream(b->>'domain', (b->>'command_id')::uuid) <> all (v_streams), true)) or exists (
    select from jsonb_array_elements(coalesce(unit->'rows', '[]') || coalesce(unit->'moves', '[]') || coalesce(unit->'current', '[]')) x
    where command_bus_command_stream(x->>'domain', (x->>'command_id')::uuid) <> all (v_streams)
      or x ? 'stream' and x->>'stream' <> all (v_streams))
  then
    raise exception 'role % may not commit this unit of work', quote_ident(v_caller) using errcode = 'insufficient_privilege';
  end if;
end $$;

-- These run as their owner; the transaction that applies this file also pins their search path, which nobody else can
-- put anything into.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.proname in ('command_bus_commit', 'command_bus_commit_each', 'command_bus_commit_rows',
      'command_bus_streams', 'command_bus_read', 'command_bus_next_visible', 'command_bus_extend', 'command_bus_hand_back',
      'command_bus_archive', 'command_bus_owners', 'command_bus_make_queue', 'command_bus_queue_figures', 'command_bus_deliver_replies')
  loop
    execute format('alter function %s security definer', v_function);
    execute format('revoke all on function %s from public', v_function);
  end loop;
end $$;

-- a right and nothing else
revoke all on function command_bus_send_right() from public;
-- for the owner and for those functions alone
revoke all on function command_bus_put_rows(regclass, jsonb, text[]) from public;
revoke all on function command_bus_grant_queue(text) from public;
revoke all on function command_bus_put_replies(text, jsonb[]) from public;
revoke all on function command_bus_is_archived(text[]) from public;
