-- The two shapes that make up nearly all units of work, as columns: lists with one entry for each command. A document of
-- command_bus_commit costs several times as much to print, to send and to read. Both functions do what that one does if no
-- command loses its race; otherwise they do nothing, and the caller uses that one. A test holds them equal. Events are written in
-- the order of their streams, so that two callers cannot wait for each other. Answers: null if the caller's role has to use
-- command_bus_commit for all its units.

-- Whether the caller may commit columns. The units of roles that only send have to be compared with their events, which
-- command_bus_commit does.
create function command_bus_may_commit_columns(sends boolean) returns boolean
language plpgsql stable as $$
declare
  v_caller name := command_bus_caller();
begin
  return has_table_privilege(v_caller, 'command_bus_action'::regclass, 'insert') or (
    has_function_privilege(v_caller, 'command_bus_read(text, double precision, integer, double precision)'::regprocedure, 'execute')
    and (not sends or has_function_privilege(v_caller, 'command_bus_send_right()'::regprocedure, 'execute')));
end $$;

-- Commits sends: a CommandSent for each command, from which its row and its message follow. Returns the ids of the messages, or
-- an empty list if an id is taken.
create function command_bus_commit_sent(domains text[], ids uuid[], event_ids uuid[], data jsonb[], meta jsonb[])
returns bigint[]
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_domain text;
  v_places int[];
  v_ids    bigint[];
  v_msgs   bigint[] := array_fill(null::bigint, array[cardinality(ids)]);
  v_streams text[];
begin
  if not command_bus_may_commit_columns(true) then
    return null;
  end if;
  perform pg_advisory_xact_lock_shared(command_bus_lock());

  begin
    -- messages first: their ids are written with the events
    for v_domain in select distinct d from unnest(domains) d loop
      if coalesce(v_domain !~ '^[a-z][a-z0-9]*([._-][a-z0-9]+)*$', true) then
        raise exception '% is not the name of a domain', quote_nullable(v_domain) using errcode = 'invalid_parameter_value';
      end if;
      v_ids := array(select id from pgmq.send_batch(command_bus_queue_of(v_domain), array(
        select command_bus_message_of(x.domain, x.id::text, x.data, x.meta)
        from unnest(domains, ids, data, meta) x(domain, id, data, meta) where x.domain = v_domain)) id);
      if cardinality(v_ids) = cardinality(ids) then
        v_msgs := v_ids;
      else
        v_places := array(select x.place from unnest(domains) with ordinality x(domain, place) where x.domain = v_domain);
        for i in 1 .. cardinality(v_ids) loop
          v_msgs[v_places[i]] := v_ids[i];
        end loop;
      end if;
    end loop;

    insert into command_bus_event (stream, revision, id, type, data, meta, msg_id, recorded, hash)
    select s.stream, 0, s.id, 'CommandSent', s.data, s.meta, s.msg_id, s.recorded,
      sha256(command_bus_event_content(s.stream, 0, s.id, 'CommandSent', s.data, s.meta, s.msg_id, s.recorded))
    from (
      select command_bus_command_stream(x.domain, x.command_id) collate "C" as stream, x.id, x.data, x.meta, x.msg_id, clock_timestamp() as recorded
      from unnest(domains, ids, event_ids, data, meta, v_msgs) x(domain, command_id, id, data, meta, msg_id)
      order by 1
      offset 0) s;

    -- an archived stream does not begin again; one that is archived meanwhile is not in the snapshot of the statement above
    if exists (select from command_bus_archived_stream)
      or current_setting('transaction_isolation') in ('repeatable read', 'serializable')
    then
      v_streams := array(select command_bus_command_stream(x.domain, x.command_id) from unnest(domains, ids) x(domain, command_id));
      if exists (select from command_bus_archived_stream a where a.stream = any (v_streams)) then
        raise exception using errcode = 'CB409';
      elsif current_setting('transaction_isolation') in ('repeatable read', 'serializable') and command_bus_is_archived(v_streams) then
        raise exception 'a command of this id is being archived: try again' using errcode = 'serialization_failure';
      end if;
    end if;

    insert into command_bus_command (
      domain, command_id, command_type, status, attempts, max_attempts, total_attempts, msg_id, queue_name, reply_queue,
      correlation_id, causation_id, tenant_id, owner_id, parent_command_id, retry_count, data_revision, created_at, updated_at, revision)
    select s.domain, s.command_id, s.data->>'commandType', 'PENDING', 0, (s.data->'policy'->'maxAttempts')::int, 0, s.msg_id,
      command_bus_queue_of(s.domain), s.data->>'replyTo', s.data->>'correlationId', s.data->>'causationId', s.data->>'tenantId',
      s.data->>'ownerId', (s.data->>'parentCommandId')::uuid, (s.data->'retryCount')::int, 0, s.at, s.at, 0
    from (
      select x.domain, x.command_id, x.data, x.msg_id, (x.meta->>'at')::timestamptz as at
      from unnest(domains, ids, data, meta, v_msgs) x(domain, command_id, data, meta, msg_id)
      offset 0) s;

    if exists (select from command_bus_searchable) then
      perform command_bus_search_sent(domains, ids, data, meta);
    end if;

    return v_msgs;
  exception when unique_violation or sqlstate 'CB409' then
    return '{}';
  end;
end $$;

-- Commits what workers report: one event for each command, or two, the further ones in lists of their own (`more_of`: the
-- place of their command in the other lists). The rest is what the events change in the rows, what becomes of the messages
-- (`acks`: delete, archive, postpone or uncount; null: nothing) and the replies. `heads`: the revision of each command's last event.
-- Returns whether they are committed: false if a command has moved on.
create function command_bus_commit_reports(
  domains text[], ids uuid[], revisions bigint[], event_ids uuid[], types text[], data jsonb[], meta jsonb[],
  more_of int[], more_ids uuid[], more_types text[], more_data jsonb[], more_meta jsonb[],
  heads bigint[], statuses text[], attempt_counts int[], total_counts int[], leases timestamptz[], next_attempts timestamptz[],
  parked timestamptz[], parked_reasons text[], error_types text[], error_codes text[], error_messages text[],
  error_frames text[], updated timestamptz[],
  acks text[], msg_ids bigint[], waits float8[],
  reply_queues text[], reply_bodies jsonb[])
returns boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_domain text;
  v_op     text;
  v_queue  text;
  v_ids    bigint[];
  v_waits  float8[];
  v_count  int;
begin
  if not command_bus_may_commit_columns(false) then
    return null;
  end if;
  if exists (select from unnest(types || coalesce(more_types, '{}')) t where t <> all ('{CommandReceived, CommandCompleted,
      CommandFailed, CommandMovedToTroubleshooting, CommandRejectedByBusinessRule, CommandExhausted}'))
    or exists (select from unnest(reply_queues) q where command_bus_domain_of(lower(q)) is not null)
  then
    raise exception 'these are not reports of a worker' using errcode = 'invalid_parameter_value';
  end if;
  -- places count from 1
  if array_lower(domains, 1) <> 1 or array_lower(ids, 1) <> 1 or array_lower(heads, 1) <> 1
    or cardinality(domains) is distinct from cardinality(ids)
  then
    raise exception 'these lists do not fit together' using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock_shared(command_bus_lock());

  begin
    insert into command_bus_event (stream, revision, id, type, data, meta, recorded, hash)
    select s.stream, s.revision, s.id, s.type, s.data, s.meta, s.recorded,
      sha256(s.before || command_bus_event_content(s.stream, s.revision, s.id, s.type, s.data, s.meta, null, s.recorded))
    from (
      select x.*, clock_timestamp() as recorded, (
        select p.hash from command_bus_event p
        where p.stream = x.stream collate "C" and p.revision = x.revision - 1 and p.xid <= pg_current_xact_id()) as before
      from (
        select command_bus_command_stream(u.domain, u.command_id) collate "C" as stream, u.revision, u.id, u.type, u.data, u.meta
        from unnest(domains, ids, revisions, event_ids, types, data, meta) u(domain, command_id, revision, id, type, data, meta)
        order by 1
        offset 0) x
      offset 0) s
    where s.before is not null;
    get diagnostics v_count = row_count;
    if v_count < cardinality(ids) then
      raise exception using errcode = 'CB409';
    end if;

    if more_of is not null then
      insert into command_bus_event (stream, revision, id, type, data, meta, recorded, hash)
      select s.stream, s.revision, s.id, s.type, s.data, s.meta, s.recorded,
        sha256((select p.hash from command_bus_event p where p.stream = s.stream collate "C" and p.revision = s.revision - 1)
          || command_bus_event_content(s.stream, s.revision, s.id, s.type, s.data, s.meta, null, s.recorded))
      from (
        select command_bus_command_stream(domains[x.place], ids[x.place]) as stream, heads[x.place] as revision, x.id, x.type, x.data,
          x.meta, clock_timestamp() as recorded
        from unnest(more_of, more_ids, more_types, more_data, more_meta) x(place, id, type, data, meta)
        offset 0) s;
    end if;

    update command_bus_command c set
      status = x.status,
      attempts = coalesce(x.attempts, c.attempts),
      total_attempts = coalesce(x.total, c.total_attempts),
      lease_expires_at = x.lease,
      next_attempt_at = x.next_attempt,
      parked_at = x.parked,
      parked_reason = x.parked_reason,
      snoozed_until = null,
      last_error_type = coalesce(x.error_type, c.last_error_type),
      last_error_code = coalesce(x.error_code, c.last_error_code),
      last_error_msg = coalesce(x.error_message, c.last_error_msg),
      last_error_frame = coalesce(x.error_frame, c.last_error_frame),
      updated_at = x.updated,
      revision = x.head
    from unnest(domains, ids, revisions, heads, statuses, attempt_counts, total_counts, leases, next_attempts, parked, parked_reasons, error_types,
      error_codes, error_messages, error_frames, updated) x(domain, command_id, revision, head, status, attempts, total, lease,
      next_attempt, parked, parked_reason, error_type, error_code, error_message, error_frame, updated)
    where c.domain = x.domain collate "C" and c.command_id = x.command_id
      and c.revision >= x.revision - 1 and c.revision < x.head;

    for v_domain, v_op in select distinct x.domain, x.op from unnest(domains, acks) x(domain, op) where x.op is not null loop
      v_queue := command_bus_queue_of(v_domain);
      select array_agg(x.msg_id), array_agg(x.wait) into v_ids, v_waits
        from unnest(domains, acks, msg_ids, waits) x(domain, op, msg_id, wait)
        where x.domain = v_domain and x.op = v_op;
      case v_op
        when 'delete' then perform pgmq.delete(v_queue, v_ids);
        when 'archive' then perform pgmq.archive(v_queue, v_ids);
        else perform command_bus_postpone(v_queue, v_ids, v_waits, v_op = 'uncount');
      end case;
    end loop;

    for v_queue in select distinct q from unnest(reply_queues) q loop
      perform pgmq.send_batch(v_queue, array(
        select x.body from unnest(reply_queues, reply_bodies) x(queue, body) where x.queue = v_queue));
    end loop;

    return true;
  exception when unique_violation or sqlstate 'CB409' then
    return false;
  end;
end $$;
