-- Commits a unit of work: one JSON document in one statement. All writes go through it.
--
--   events   [{event, stream, revision, id, type, data, meta}]          the first event of each stream; `event` numbers
--                                                                       all events of the unit from 0
--   more     [{event, stream, revision, id, type, data, meta}]          the streams' further events
--   messages [{queue, events: [event], bodies: [body], runAts?: [time]}]  new messages; their ids become msg_id; null: visible at once
--   resends  [{event, stream, queue, archived, head, dataRevision, data?}]
--   rows     [{event?, <columns of command_bus_command>}]                 `event`: the one whose message is the row's
--   moves    [{event?, after, <columns>}]
--   acks     [{queue, op: delete | archive | postpone | uncount, events: [event], msgIds: [msgId], waits?: [wait]}]
--                                                                       `wait`: milliseconds, by the clock of the database;
--                                                                       uncount: postpone, and take the last read back
--   current  [{stream, queue, domain, command_id}]                      archive the command's present message
--   reschedules [{stream, queue, domain, command_id, run_at}]           hide the command's present message until then
--   lenient  true: a message that was read stays as it is, and its command keeps its place in its lane; otherwise its reschedule
--            raises CB423 and nothing is done
--   replies  [{queue, events: [event], bodies: [body]}]
--   lanes    [{event, op, domain, command_id, lane, limit?, queue?, run_at?}]  see command_bus_move_lanes in 0014_lanes.sql
--   atomic   true: a lost race raises CB409 and nothing is done
--   careful  true: a reply that cannot be put on its queue is kept in command_bus_undelivered; otherwise it fails the unit,
--            so that replies that can be delivered cost no subtransaction
--
-- Returns {lost: [stream], messages: [[event, msgId]], undelivered: [queue], shown?: [queue]}; `shown`: queues with messages of
-- others that have become visible. A stream that lost its race leaves nothing behind.

-- Writers hold this lock in shared mode; the swap of a rebuilt read table holds it exclusively.
create function command_bus_lock() returns bigint language sql immutable parallel safe as $$ select 7108218620261122 $$;

-- The stream of a command. Every step is immutable, so that the planner puts the body in place of a call and finds the
-- stream by its index; `||` with a uuid would not be.
create function command_bus_command_stream(domain text, command_id uuid) returns text language sql immutable parallel safe
  as $$ select 'command-' || domain || '-' || command_id::text $$;

-- The queue of a domain's commands: those of another priority than normal have one of their own. The same in TypeScript, and
-- the next: src/domain/command/names.ts
create function command_bus_queue_of(domain text, priority text default null) returns text language sql immutable parallel safe
  as $$ select replace(domain, '.', '__') || '__commands' || case when priority in ('high', 'low') then '__' || priority else '' end $$;

-- The domain whose commands a queue holds; null for other queues.
create function command_bus_domain_of(queue text) returns text language sql immutable parallel safe
  as $$ select replace(substring(queue from '^(.+)__commands(?:__high|__low)?$'), '__', '.') $$;

-- The message of a command as its CommandSent says it. The same in TypeScript: src/projections/outbox.ts
create function command_bus_message_of(domain text, command_id text, data jsonb, meta jsonb) returns jsonb language sql stable parallel safe
  as $$ select jsonb_build_object('command_id', command_id, 'command_type', data->'commandType', 'domain', domain,
      'correlation_id', data->'correlationId', 'created_at', meta->'at', 'data', data->'data')
    || case when data->>'replyTo' is null and not data ? 'traceparent' then '{}'
       else jsonb_strip_nulls(jsonb_build_object('reply_to', data->'replyTo', 'traceparent', data->'traceparent')) end $$;

-- The caller's role: functions that write run with the rights of their owner; see 0015_rights.sql.
create function command_bus_caller() returns name language sql stable parallel restricted
  as $$ select case current_setting('role') when 'none' then session_user else current_setting('role')::name end $$;

-- A snapshot of the whole transaction does not show streams that were archived since. The unique index does: a row is
-- inserted and rolled back to find out.
create function command_bus_is_archived(streams text[]) returns boolean language plpgsql as $$
begin
  insert into command_bus_archived_stream (stream, revision, hash, status, seal)
  select s.stream, 0, '', '', 0 from unnest(streams) s(stream) order by s.stream;
  raise exception using errcode = 'CB000';
exception
  when sqlstate 'CB000' then return false;
  when unique_violation then return true;
end $$;

-- Makes messages visible again after `waits` milliseconds, by the clock of the database. `uncount` takes their last read back.
create function command_bus_postpone(queue text, msg_ids bigint[], waits float8[], uncount boolean) returns void
language plpgsql as $$
begin
  execute format('update pgmq.%I q set vt = clock_timestamp() + make_interval(secs => x.wait / 1000), read_ct = q.read_ct - $3
    from unnest($1, $2) x(msg_id, wait) where q.msg_id = x.msg_id', 'q_' || queue) using msg_ids, waits, uncount::int;
end $$;

-- Hides messages until they may run.
create function command_bus_delay(queue text, msg_ids bigint[], run_ats jsonb) returns void
language plpgsql as $$
begin
  execute format('update pgmq.%I q set vt = greatest(q.vt, x.run_at::timestamptz)
    from rows from (unnest($1), jsonb_array_elements_text($2)) x(msg_id, run_at) where q.msg_id = x.msg_id and x.run_at is not null', 'q_' || queue)
    using msg_ids, run_ats;
end $$;

-- Moves the message of a command that nobody has begun to another time: false if it was read. Two readers cannot be overtaken:
-- one that has taken the message has locked or counted it, one that comes later skips the row that is locked here. A command
-- without a message waits for its lane, and its message will be for the time in its row.
create function command_bus_reschedule(queue text, of_domain text, of_command uuid, run_at timestamptz) returns boolean
language plpgsql as $$
declare
  v_msg_id bigint;
  v_moved  int;
begin
  select c.msg_id into v_msg_id from command_bus_command c where c.domain = of_domain collate "C" and c.command_id = of_command;
  if v_msg_id is null then
    return true;
  end if;
  execute format('update pgmq.%I q set vt = greatest(clock_timestamp(), $2) where q.msg_id = $1 and q.read_ct = 0', 'q_' || queue)
    using v_msg_id, run_at;
  get diagnostics v_moved = row_count;
  return v_moved > 0;
end $$;

create function command_bus_commit(unit jsonb) returns jsonb
language plpgsql
-- a table without statistics must not turn a lookup by key into a scan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_queue   text;
  v_op      text;
  v_part    jsonb;
  v_events  int[];
  v_bodies  jsonb[];
  v_ids     bigint[];
  v_waits   float8[];
  -- the message of event n is at n + 1; 0: none
  m_ids     bigint[] := '{}';
  m_events  int[] := '{}';
  v_streams int;
  v_won     text[];
  v_new     text[];
  v_lost    text[] := '{}';
  v_losers  int[] := '{}';
  v_why     text;
  v_undelivered text[] := '{}';
  v_taken   text[] := '{}';
  v_shown   text[];
begin
  if not has_table_privilege(command_bus_caller(), 'command_bus_action'::regclass, 'insert') then
    perform command_bus_check_unit(unit);
  end if;
  -- before it has a transaction id: then events of a lane are in the log in the order in which their units had the lock
  if unit ? 'lanes' then
    perform command_bus_lock_lanes(unit->'lanes');
  end if;
  perform pg_advisory_xact_lock_shared(command_bus_lock());
  if unit ? 'messages' or unit ? 'resends' then
    m_ids := array_fill(0::bigint, array[jsonb_array_length(unit->'events') + jsonb_array_length(coalesce(unit->'more', '[]'))]);
  end if;

  -- messages first: their ids are written with the events
  for v_queue, v_part in select x->>'queue', x from jsonb_array_elements(unit->'messages') x loop
    v_events := array(select jsonb_array_elements_text(v_part->'events')::int);
    v_bodies := array(select jsonb_array_elements(v_part->'bodies'));
    v_ids := array(select id from pgmq.send_batch(v_queue, v_bodies) id);
    for i in 1 .. cardinality(v_ids) loop
      m_ids[v_events[i] + 1] := v_ids[i];
    end loop;
    if v_part ? 'runAts' then
      perform command_bus_delay(v_queue, v_ids, v_part->'runAts');
    end if;
    m_events := m_events || v_events;
  end loop;

  -- an archived message is sent again only for its own command: in a moved log its id may belong to another one
  for v_queue in select distinct x->>'queue' from jsonb_array_elements(unit->'resends') x loop
    execute format($q$
      select array_agg(x.event order by x.event), array_agg(
          coalesce(a.message, x.head || jsonb_build_object('data', e.data->'data'))
            || case when x.edited is null then '{}'::jsonb else jsonb_build_object('data', x.edited->'data') end
          order by x.event)
      from jsonb_to_recordset($1) x(event int, stream text, queue text, archived bigint, head jsonb, "dataRevision" bigint, edited jsonb)
      left join pgmq.%I a on a.msg_id = x.archived and a.message->>'command_id' = x.head->>'command_id'
      left join command_bus_event e on e.stream = x.stream collate "C" and e.revision = x."dataRevision"
      where x.queue = $2 $q$, 'a_' || v_queue)
      into v_events, v_bodies using unit->'resends', v_queue;
    v_ids := array(select id from pgmq.send_batch(v_queue, v_bodies) id);
    for i in 1 .. cardinality(v_ids) loop
      m_ids[v_events[i] + 1] := v_ids[i];
    end loop;
    m_events := m_events || v_events;
  end loop;

  -- The first event of each stream decides the race: the writer of revision n writes n + 1 without rivals. The event before
  -- must be there, and from a transaction that comes earlier in the feed, as its hash is part of the next one.
  with e as materialized (
    select x.*, nullif(m_ids[x.event + 1], 0) as msg_id
    from jsonb_to_recordset(unit->'events')
      x(event int, stream text, revision bigint, id uuid, type text, data jsonb, meta jsonb)
  ), won as (
    insert into command_bus_event (stream, revision, id, type, data, meta, msg_id, recorded, hash)
    select s.stream, s.revision, s.id, s.type, s.data, s.meta, s.msg_id, s.recorded, sha256(s.before
      || command_bus_event_content(s.stream, s.revision, s.id, s.type, s.data, s.meta, s.msg_id, s.recorded))
    from (
      select e.*, clock_timestamp() as recorded,
        case
          when e.revision > 0 then (
            select p.hash from command_bus_event p
            where p.stream = e.stream collate "C" and p.revision = e.revision - 1 and p.xid <= pg_current_xact_id())
          -- an archived stream does not begin again
          when (select a.seal from command_bus_archived_stream a where a.stream = e.stream collate "C") is null then ''::bytea
        end as before
      from e
      order by e.stream collate "C"
      offset 0) s
    where s.before is not null
    on conflict (stream, revision) do nothing
    returning stream, revision
  )
  select (select count(*) from e), array_agg(won.stream), array_agg(won.stream) filter (where won.revision = 0)
    into v_streams, v_won, v_new from won;

  -- An archive run that ends during the statement above has removed the events, and its record is not in the snapshot: the
  -- stream would begin again.
  if v_new is not null and (
    exists (select from command_bus_archived_stream a where a.stream = any (v_new))
    or (current_setting('transaction_isolation') in ('repeatable read', 'serializable') and command_bus_is_archived(v_new)))
  then
    raise exception 'a command of this id is being archived: try again' using errcode = 'serialization_failure';
  end if;

  if v_streams > coalesce(cardinality(v_won), 0) then
    v_lost := array(
      select x.stream from jsonb_to_recordset(unit->'events') x(stream text)
      where x.stream <> all (coalesce(v_won, '{}')));
    if (unit->>'atomic')::boolean then
      raise exception 'another writer was first' using errcode = 'CB409', detail = to_jsonb(v_lost)::text;
    end if;
    v_losers := array(
      select x.event from jsonb_to_recordset(unit->'events' || coalesce(unit->'more', '[]')) x(event int, stream text)
      where x.stream = any (v_lost));
    for v_queue, v_ids in
      select x.queue, array_agg(m_ids[x.event + 1])
      from (
        select m.queue, e::int as event from jsonb_to_recordset(unit->'messages') m(queue text, events jsonb), jsonb_array_elements_text(m.events) e
        union all
        select r.queue, r.event from jsonb_to_recordset(unit->'resends') r(queue text, event int)
      ) x
      where x.event = any (v_losers)
      group by x.queue
    loop
      perform pgmq.delete(v_queue, v_ids);
    end loop;
  end if;

  if unit ? 'more' then
    insert into command_bus_event (stream, revision, id, type, data, meta, msg_id, recorded, hash)
    select s.stream, s.revision, s.id, s.type, s.data, s.meta, s.msg_id, s.recorded,
      command_bus_chain(
        (select p.hash from command_bus_event p where p.stream = s.stream collate "C" and p.revision = s.revision - 1),
        command_bus_event_content(s.stream, s.revision, s.id, s.type, s.data, s.meta, s.msg_id, s.recorded))
      over (partition by s.stream collate "C" order by s.revision)
    from (
      select x.*, nullif(m_ids[x.event + 1], 0) as msg_id, clock_timestamp() as recorded
      from jsonb_to_recordset(unit->'more')
        x(event int, stream text, revision bigint, id uuid, type text, data jsonb, meta jsonb)
      where x.stream <> all (v_lost)
      order by x.stream collate "C", x.revision
      offset 0) s
    order by s.stream collate "C", s.revision;
  end if;

  if unit ? 'rows' then
    insert into command_bus_command (
      domain, command_id, command_type, status, attempts, max_attempts, total_attempts, msg_id, queue_name, reply_queue,
      correlation_id, causation_id, tenant_id, owner_id, parent_command_id, retry_count, run_at, priority, expires_at, lane, lease_expires_at,
      next_attempt_at, parked_at, parked_reason, snoozed_until, assignee, tags, notes, last_error_type, last_error_code, last_error_msg, last_error_frame, data_revision,
      created_at, updated_at, revision)
    select
      x.domain, x.command_id, x.command_type, x.status, x.attempts, x.max_attempts, x.total_attempts, nullif(m_ids[x.event + 1], 0),
      x.queue_name, x.reply_queue, x.correlation_id, x.causation_id, x.tenant_id, x.owner_id, x.parent_command_id,
      x.retry_count, x.run_at, x.priority, x.expires_at, x.lane, x.lease_expires_at, x.next_attempt_at, x.parked_at, x.parked_reason, x.snoozed_until, x.assignee, x.tags, x.notes, x.last_error_type,
      x.last_error_code, x.last_error_msg, x.last_error_frame, x.data_revision, x.created_at, x.updated_at, x.revision
    from jsonb_to_recordset(unit->'rows') x(
      event int, domain text, command_id uuid, command_type text, status text, attempts int,
      max_attempts int, total_attempts int, queue_name text, reply_queue text, correlation_id text, causation_id text,
      tenant_id text, owner_id text, parent_command_id uuid, retry_count int, run_at timestamptz, priority text, expires_at timestamptz, lane text, lease_expires_at timestamptz,
      next_attempt_at timestamptz, parked_at timestamptz, parked_reason text, snoozed_until timestamptz, assignee text, tags text[], notes int, last_error_type text,
      last_error_code text, last_error_msg text, last_error_frame text, data_revision bigint, created_at timestamptz,
      updated_at timestamptz, revision bigint)
    where v_lost = '{}' or command_bus_command_stream(x.domain, x.command_id) <> all (v_lost)
    on conflict (domain, command_id) do nothing;
  end if;

  if unit ? 'moves' then
    update command_bus_command c set
      status = x.status,
      attempts = coalesce(x.attempts, c.attempts),
      total_attempts = coalesce(x.total_attempts, c.total_attempts),
      msg_id = coalesce(nullif(m_ids[x.event + 1], 0), c.msg_id),
      run_at = coalesce(x.run_at, c.run_at),
      lease_expires_at = x.lease_expires_at,
      next_attempt_at = x.next_attempt_at,
      parked_at = x.parked_at,
      parked_reason = x.parked_reason,
      snoozed_until = x.snoozed_until,
      assignee = coalesce(x.assignee, c.assignee),
      tags = coalesce(x.tags, c.tags),
      notes = coalesce(x.notes, c.notes),
      last_error_type = coalesce(x.last_error_type, c.last_error_type),
      last_error_code = coalesce(x.last_error_code, c.last_error_code),
      last_error_msg = coalesce(x.last_error_msg, c.last_error_msg),
      last_error_frame = coalesce(x.last_error_frame, c.last_error_frame),
      data_revision = coalesce(x.data_revision, c.data_revision),
      updated_at = x.updated_at,
      revision = x.revision
    from jsonb_to_recordset(unit->'moves') x(
      event int, after bigint, domain text, command_id uuid, status text, attempts int, total_attempts int,
      run_at timestamptz, lease_expires_at timestamptz, next_attempt_at timestamptz, parked_at timestamptz, parked_reason text,
      snoozed_until timestamptz, assignee text, tags text[], notes int, last_error_type text, last_error_code text, last_error_msg text, last_error_frame text, data_revision bigint, updated_at timestamptz,
      revision bigint)
    where c.domain = x.domain collate "C" and c.command_id = x.command_id
      and c.revision >= x.after and c.revision < x.revision
      and (v_lost = '{}' or command_bus_command_stream(x.domain, x.command_id) <> all (v_lost));
  end if;

  if (unit ? 'rows' or unit ? 'resends') and exists (select from command_bus_searchable) then
    perform command_bus_search_unit(unit, v_lost);
  end if;

  for v_queue, v_op, v_part in select x->>'queue', x->>'op', x from jsonb_array_elements(unit->'acks') x loop
    select array_agg(x.msg_id::bigint), array_agg(x.wait::float8) into v_ids, v_waits
      from rows from (
        jsonb_array_elements_text(v_part->'events'), jsonb_array_elements_text(v_part->'msgIds'), jsonb_array_elements_text(v_part->'waits')
      ) x(event, msg_id, wait)
      where x.event::int <> all (v_losers);
    case v_op
      when 'delete' then perform pgmq.delete(v_queue, v_ids);
      when 'archive' then perform pgmq.archive(v_queue, v_ids);
      else perform command_bus_postpone(v_queue, v_ids, v_waits, v_op = 'uncount');
    end case;
  end loop;

  for v_queue in select distinct x->>'queue' from jsonb_array_elements(unit->'current') x loop
    v_ids := array(
      select c.msg_id
      from jsonb_to_recordset(unit->'current') x(stream text, queue text, domain text, command_id uuid)
      join command_bus_command c on c.domain = x.domain collate "C" and c.command_id = x.command_id
      where x.queue = v_queue and x.stream <> all (v_lost));
    perform pgmq.archive(v_queue, v_ids);
  end loop;

  for v_part in select x from jsonb_array_elements(unit->'reschedules') x where x->>'stream' <> all (v_lost) loop
    continue when command_bus_reschedule(
      v_part->>'queue', v_part->>'domain', (v_part->>'command_id')::uuid, (v_part->>'run_at')::timestamptz);
    if not coalesce((unit->>'lenient')::boolean, false) then
      raise exception 'a worker has taken command %: it can no longer be put off or run earlier', v_part->>'command_id' using errcode = 'CB423';
    end if;
    v_taken := v_taken || (v_part->>'stream');
  end loop;

  for v_queue, v_part in select x->>'queue', x from jsonb_array_elements(unit->'replies') x loop
    v_bodies := array(
      select x.body
      from rows from (jsonb_array_elements_text(v_part->'events'), jsonb_array_elements(v_part->'bodies')) x(event, body)
      where x.event::int <> all (v_losers));
    continue when cardinality(v_bodies) = 0;
    -- pgmq folds upper case
    if (unit->>'careful')::boolean or command_bus_domain_of(lower(v_queue)) is not null then
      v_why := command_bus_put_replies(v_queue, v_bodies);
      continue when v_why is null;
      v_undelivered := v_undelivered || v_queue;
      insert into command_bus_undelivered (domain, command_id, tenant_id, queue, body, reason)
      select b->>'domain', (b->>'command_id')::uuid, c.tenant_id, v_queue, b, v_why
      from unnest(v_bodies) b
      left join command_bus_command c on c.domain = b->>'domain' collate "C" and c.command_id = (b->>'command_id')::uuid;
    else
      perform pgmq.send_batch(v_queue, v_bodies);
    end if;
  end loop;

  if unit ? 'lanes' then
    v_shown := command_bus_move_lanes(unit->'lanes', m_ids, v_losers || array(
      select x.event from jsonb_to_recordset(unit->'lanes') x(event int, op text, domain text, command_id uuid)
      where x.op = 'schedule' and command_bus_command_stream(x.domain, x.command_id) = any (v_taken)));
  end if;

  return jsonb_build_object(
    'lost', to_jsonb(v_lost),
    'undelivered', to_jsonb(v_undelivered),
    'messages', coalesce((select jsonb_agg(jsonb_build_array(n, m_ids[n + 1]::text)) from unnest(m_events) n), '[]'))
    || case when v_shown is null then '{}' else jsonb_build_object('shown', to_jsonb(v_shown)) end;
end $$;

-- Commits independent units, each by itself. A unit that would wait for the lock of an open transaction is skipped: its
-- answer is null. So are later ones of its lanes, which must not overtake it.
create function command_bus_commit_each(units jsonb) returns jsonb
language plpgsql
set lock_timeout = '2ms'
as $$
declare
  v_unit    jsonb;
  v_answers jsonb := '[]';
  v_held    jsonb := '[]';
begin
  for v_unit in select x.unit from jsonb_array_elements(units) with ordinality x(unit, n) order by x.n loop
    if v_unit ? 'lanes' and exists (
      select from jsonb_array_elements(v_unit->'lanes') l, jsonb_array_elements(v_held) h
      where l->'lane' = h->'lane' and l->'domain' = h->'domain')
    then
      v_answers := v_answers || 'null'::jsonb;
      continue;
    end if;
    begin
      v_answers := v_answers || jsonb_build_array(command_bus_commit(v_unit));
    exception when lock_not_available then
      v_held := v_held || coalesce(v_unit->'lanes', '[]');
      v_answers := v_answers || 'null'::jsonb;
    end;
  end loop;
  return v_answers;
end $$;

-- Extends leases: hides messages until `now + lease`, but only those that nobody has read since. A row that is locked at the
-- moment is skipped, but still counts as the caller's. A lease never becomes shorter, as a handler may have asked for more
-- than a heartbeat gives. Returns the messages that are still the caller's.
create function command_bus_extend(queue text, msg_ids bigint[], deliveries int[], lease interval)
returns setof bigint language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  return query execute format($q$
    with held as (
      select m.msg_id from pgmq.%1$I m join unnest($1, $2) x(msg_id, delivery) on x.msg_id = m.msg_id and x.delivery = m.read_ct
      for update of m skip locked),
    extended as (
      update pgmq.%1$I q set vt = greatest(q.vt, clock_timestamp() + $3) from held where q.msg_id = held.msg_id)
    select m.msg_id from pgmq.%1$I m join unnest($1, $2) x(msg_id, delivery) on x.msg_id = m.msg_id and x.delivery = m.read_ct
    $q$, 'q_' || queue) using msg_ids, deliveries, lease;
end $$;

-- Makes messages visible after `delay`, with the same check of the last read. `uncount` takes the read back: a message that
-- nobody worked on returns to its place in the queue.
create function command_bus_hand_back(queue text, msg_ids bigint[], deliveries int[], delay interval, uncount boolean)
returns void language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  execute format($q$
    update pgmq.%1$I q set
      vt = case when $4 and $3 <= interval '0' then least(q.enqueued_at, clock_timestamp()) else clock_timestamp() + $3 end,
      read_ct = q.read_ct - case when $4 then 1 else 0 end
    from unnest($1, $2) x(msg_id, delivery)
    where q.msg_id = x.msg_id and q.read_ct = x.delivery $q$, 'q_' || queue) using msg_ids, deliveries, delay, uncount;
end $$;
