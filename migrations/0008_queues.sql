-- What workers, metrics and administrators need of pgmq's queues beyond pgmq's own functions.

-- Takes up to `quantity` messages that are due, in the order they became due, and hides them for `lease` seconds.
-- pgmq.read scans the primary key and so passes every message that waits for its next attempt. This scans pgmq's index on
-- vt, where the waiting ones come last. `after` (milliseconds since 1970; null: from the first) skips what became due
-- earlier: dead index entries of messages read before, which an old snapshot keeps there. If it finds fewer, a last row
-- without a message has the time up to which it has searched. For a message that says the same as the only event of its
-- command, which most are, the event is returned instead of the message, so that it needs no second look at the log. What counts
-- as the same, in TypeScript: src/application/commands/message-differences.ts
create function command_bus_read(queue text, lease double precision, quantity int, after double precision)
returns table (msg_id bigint, read_ct int, message jsonb, due double precision, command_id text, data jsonb, meta jsonb)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_table  regclass := format('pgmq.%I', 'q_' || queue)::regclass;
  -- pgmq has this column since 1.10
  v_read_at boolean := exists (
    select from pg_attribute a where a.attrelid = v_table and a.attname = 'last_read_at' and not a.attisdropped);
  v_domain text := command_bus_domain_of(queue);
  v_priority text := coalesce(substring(queue from '__(high|low)$'), 'normal');
  v_until  timestamptz := clock_timestamp();
  v_found  int;
  v_msg_ids  bigint[];
  v_read_cts int[];
  v_messages jsonb[];
  v_dues     timestamptz[];
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  -- a volatile function cannot be a bound of an index scan; the rest is a statement of its own, as this one is planned each time
  execute format($q$
    with due as materialized (
      select d.msg_id, d.vt from %1$s d where d.vt >= $1 and d.vt <= $2 order by d.vt limit $3 for update skip locked
    ), taken as (
      update %1$s m set vt = clock_timestamp() + $4, read_ct = m.read_ct + 1 %2$s
      from due where m.msg_id = due.msg_id
      returning m.msg_id, m.read_ct, m.message, due.vt as due)
    select array_agg(t.msg_id), array_agg(t.read_ct), array_agg(t.message), array_agg(t.due) from taken t $q$,
    v_table, case when v_read_at then ', last_read_at = clock_timestamp()' else '' end)
    into v_msg_ids, v_read_cts, v_messages, v_dues
    using coalesce(to_timestamp(after / 1000), '-infinity'), v_until, quantity, make_interval(secs => lease);
  return query
    select t.msg_id, t.read_ct, case when e.data is null then coalesce(t.message, 'null') end, extract(epoch from t.due)::float8 * 1000,
      t.message->>'command_id', e.data, e.meta
    from unnest(v_msg_ids, v_read_cts, v_messages, v_dues) t(msg_id, read_ct, message, due)
    left join lateral (
      select s.data, s.meta from command_bus_event s
      where s.stream = ('command-' || v_domain || '-' || (t.message->>'command_id')) collate "C" and s.revision = 0
        and s.type = 'CommandSent' and s.msg_id = t.msg_id and coalesce(s.data->>'priority', 'normal') = v_priority and t.message->'data' = s.data->'data' and t.message->'domain' = to_jsonb(v_domain)
        and t.message->'command_type' = s.data->'commandType' and t.message->'correlation_id' = s.data->'correlationId'
        and coalesce(t.message->'reply_to', 'null') = s.data->'replyTo'
        and not exists (select from command_bus_event n where n.stream = s.stream and n.revision = 1)) e on true
    order by t.due, t.msg_id;
  get diagnostics v_found = row_count;
  if v_found < quantity then
    due := extract(epoch from v_until)::float8 * 1000;
    return next;
  end if;
end $$;

-- Commands that nobody has begun by their time, those that expired first, with the present time of the database.
create function command_bus_expired(most int) returns table (domain text, command_id uuid, as_of timestamptz)
language plpgsql
set enable_seqscan = off
as $$
declare
  v_now timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  return query select c.domain, c.command_id, v_now from command_bus_command c
    where c.status = 'PENDING' and c.expires_at is not null and c.expires_at <= v_now and c.total_attempts = 0
    order by c.expires_at limit most;
end $$;

-- The commands of a domain that messages of a queue belong to: those of `named` whose message it is, and for the other messages
-- those not yet ended.
create function command_bus_owners(of_domain text, of_queue text, msg_ids bigint[], named uuid[]) returns table (msg_id bigint, command_id uuid)
language plpgsql stable as $$
declare
  v_owned bigint[] := array(select c.msg_id from command_bus_command c
    where c.domain = of_domain collate "C" and c.command_id = any (named) and c.queue_name = of_queue and c.msg_id = any (msg_ids));
begin
  return query select c.msg_id, c.command_id from command_bus_command c
    where c.domain = of_domain collate "C" and c.command_id = any (named) and c.queue_name = of_queue and c.msg_id = any (v_owned);
  if not (msg_ids <@ v_owned) then
    return query select c.msg_id, c.command_id from command_bus_command c
      where c.status in ('PENDING', 'IN_PROGRESS') and c.domain = of_domain collate "C" and c.queue_name = of_queue
        and c.msg_id = any (msg_ids) and c.msg_id <> all (v_owned);
  end if;
end $$;

-- Milliseconds until a message of the queue becomes visible, 0 when one is; null when there is none. `after` as above. `lanes`:
-- lanes of its domain have to be looked at again, see command_bus_admit_lanes in 0014_lanes.sql.
create function command_bus_next_visible(queue text, after double precision, out ms double precision, out lanes boolean)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_next timestamptz;
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  execute format('select q.vt from pgmq.%I q where q.vt >= $1 order by q.vt limit 1', 'q_' || queue)
    into v_next using coalesce(to_timestamp(after / 1000), '-infinity');
  ms := case when v_next is not null then greatest(0, extract(epoch from v_next - clock_timestamp()) * 1000) end;
  lanes := exists (select from command_bus_lane_check c where c.domain = command_bus_domain_of(queue));
end $$;

-- Messages that were found on a command queue and belong to no command of this log, moved here from pgmq's queue. One that an
-- operator adopted or dropped stays as a record of who did it, without its message.
create table command_bus_stranger (
  stranger_id bigint generated always as identity,
  queue       text collate "C" not null,
  msg_id      bigint not null,
  -- how often others had read it
  reads       int not null,
  enqueued_at timestamptz not null,
  message     jsonb,
  headers     jsonb,
  why         text not null,
  found_at    timestamptz not null default clock_timestamp(),
  outcome     text collate "C",
  settled_at  timestamptz,
  settled_by  text,
  -- why it was dropped
  reason      text,
  -- the command that it became
  command_id  uuid,
  constraint command_bus_stranger_pkey primary key (stranger_id),
  constraint command_bus_stranger_settled check (
    (outcome is null) = (settled_at is null) and (outcome is null) = (settled_by is null) and (outcome is null) = (message is not null)
    and (outcome is not distinct from 'adopted') = (command_id is not null)
    and (outcome is not distinct from 'dropped') = (reason is not null)
    and (outcome is null or outcome in ('adopted', 'dropped')))
);

-- few wait, however many were settled
create index command_bus_stranger_waiting on command_bus_stranger (queue, stranger_id) where settled_at is null;

-- Command queues to which other programs send as well, with what their archives hold from before.
create table command_bus_shared_queue (
  queue text collate "C" not null,
  since timestamptz not null default clock_timestamp(),
  constraint command_bus_shared_queue_pkey primary key (queue)
);

-- Notes that a worker adopts what other programs put on this queue.
create function command_bus_share_queue(queue text) returns void
language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  insert into command_bus_shared_queue (queue) values (queue) on conflict do nothing;
end $$;

-- Moves messages to pgmq's archive.
create function command_bus_archive(queue text, msg_ids bigint[]) returns void
language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  perform pgmq.archive(queue, msg_ids);
end $$;

-- Moves messages that belong to no command from their queue to command_bus_stranger. `whys`: {msg_id: why}. The read that found
-- a message is not one of its `reads`.
create function command_bus_keep_strangers(queue text, whys jsonb) returns void
language plpgsql as $$
declare
  v_table   regclass := format('pgmq.%I', 'q_' || queue)::regclass;
  -- pgmq has this column since 1.5
  v_headers text := case when exists (select from pg_attribute a
    where a.attrelid = v_table and a.attname = 'headers' and not a.attisdropped) then 'm.headers' else 'null::jsonb' end;
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  execute format($q$
    with gone as (
      delete from %s m where m.msg_id = any ($1)
      returning m.msg_id, greatest(0, m.read_ct - 1) as reads, m.enqueued_at, coalesce(m.message, 'null') as message, %s as headers)
    insert into command_bus_stranger (queue, msg_id, reads, enqueued_at, message, headers, why)
    select $2, g.msg_id, g.reads, g.enqueued_at, g.message, g.headers, $3->>g.msg_id::text from gone g order by g.msg_id $q$,
    v_table, v_headers)
    using array(select k::bigint from jsonb_object_keys(whys) k), queue, whys;
end $$;

-- Takes messages off a queue of commands, for a worker that has made commands of them in the same transaction. Returns those
-- that were there.
create function command_bus_remove(queue text, msg_ids bigint[]) returns setof bigint
language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  return query select d from pgmq.delete(queue, msg_ids) d;
end $$;

-- Records that strangers were adopted (`commands`: for each the command that it became) or dropped (null, with the reason).
-- Returns those that were still waiting.
create function command_bus_settle_strangers(ids bigint[], commands uuid[], actor text, because text) returns setof bigint
language plpgsql as $$
begin
  if coalesce(actor, '') = '' or (commands is null) = (coalesce(because, '') = '') then
    raise exception 'say who settles strangers, and why they are dropped' using errcode = 'invalid_parameter_value';
  end if;
  return query
    update command_bus_stranger s set
      outcome = case when commands is null then 'dropped' else 'adopted' end,
      settled_at = clock_timestamp(),
      settled_by = actor,
      reason = because,
      command_id = x.command,
      message = null,
      headers = null
    from (select i.id, i.command from rows from (unnest(ids), unnest(commands)) i(id, command) order by 1) x
    where s.stranger_id = x.id and s.settled_at is null
    returning s.stranger_id;
end $$;

-- A role that may execute this may send.
create function command_bus_send_right() returns void language sql as $$ $$;

-- Grants the right to read a queue to roles that read commands, and the right to take replies off one to roles that send.
create function command_bus_grant_queue(queue text) returns void
language plpgsql as $$
declare
  v_reply boolean := command_bus_domain_of(queue) is null;
  v_right record;
begin
  for v_right in
    select r.grantee::regrole as role, bool_or(r.may_take) as may_take
    from (
      select a.grantee, false as may_take from pg_class c cross join aclexplode(c.relacl) a
        where c.oid = 'command_bus_command'::regclass and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
      union all
      select a.grantee, true from pg_proc p cross join aclexplode(p.proacl) a
        where p.oid = 'command_bus_send_right()'::regprocedure and a.grantee <> p.proowner and v_reply) r
    where r.grantee <> 0
    group by r.grantee
    order by 1
  loop
    execute format('grant %s on pgmq.%I, pgmq.%I to %s',
      case when v_right.may_take then 'select, insert, update, delete' else 'select' end, 'q_' || queue, 'a_' || queue, v_right.role);
  end loop;
end $$;

-- With this many queues, roles that only send cannot make more, whatever limit they pass. The owner may replace this.
create function command_bus_most_queues_of_senders() returns int language sql immutable as $$ select 1000 $$;

-- Whether the caller may send and nothing else.
create function command_bus_only_sends() returns boolean language plpgsql stable as $$
begin
  return not has_table_privilege(command_bus_caller(), 'command_bus_action'::regclass, 'insert')
    and not has_function_privilege(command_bus_caller(),
      'command_bus_read(text, double precision, integer, double precision)'::regprocedure, 'execute');
end $$;

-- Queues that sends may make, and the caller that needed each first, for an hour. A queue counts before it is made, so that
-- all processes together keep the limit.
create table command_bus_queue_claim (
  queue  text collate "C" not null,
  -- a hash; empty: no caller in particular
  caller text collate "C" not null,
  since  timestamptz not null default clock_timestamp(),
  constraint command_bus_queue_claim_pkey primary key (caller, queue)
);

-- Claims those of the queues that do not exist, all of them or none: at most `most` queues in all, and `per_hour` for one
-- caller. Returns the limit that was reached, 'most' or 'caller'; null: they are claimed.
create function command_bus_claim_queues(queues text[], caller text, most int, per_hour int) returns text
language plpgsql
set lock_timeout = '1s'
as $$
declare
  v_caller text := case when caller is null then '' else encode(sha256(convert_to(caller, 'UTF8')), 'hex') end;
  v_new    text[];
begin
  if command_bus_only_sends() then
    most := least(most, command_bus_most_queues_of_senders());
  end if;
  -- one caller at a time, so that the count stays correct
  perform pg_advisory_xact_lock(hashtextextended('commandbus:queues', 0));
  delete from command_bus_queue_claim c where c.since < clock_timestamp() - interval '1 hour';
  v_new := array(select distinct q from unnest(queues) q where not exists (select from pgmq.meta m where m.queue_name = q));
  if caller is not null and per_hour < (
    select count(*) from (select c.queue from command_bus_queue_claim c where c.caller = v_caller union select unnest(v_new)) own)
  then
    return 'caller';
  end if;
  if exists (select unnest(v_new) except select c.queue from command_bus_queue_claim c)
    and most < (select count(*) from (
      select m.queue_name::text from pgmq.meta m union select c.queue from command_bus_queue_claim c union select unnest(v_new)) taken)
  then
    return 'most';
  end if;
  insert into command_bus_queue_claim (queue, caller) select q, v_caller from unnest(v_new) q on conflict do nothing;
  return null;
end $$;

-- Has the tables of a queue vacuumed for the way they are used: of each message the queue keeps two dead rows soon (hidden from
-- others, then deleted), and an archive only grows. Settings that somebody has chosen stay, and tables of other roles do too. A
-- lock that another holds (a vacuum by hand) is not waited for: the next process that looks for the queue tries again.
create function command_bus_tend_queue(queue text) returns void
language plpgsql
set lock_timeout = '100ms'
as $$
declare
  v_table record;
begin
  for v_table in
    select c.oid::regclass as name, x.settings from (values
      ('q_', 'autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0'),
      ('a_', 'autovacuum_vacuum_insert_scale_factor = 0.05')) x(prefix, settings)
    join pg_class c on c.oid = to_regclass(format('pgmq.%I', x.prefix || queue))
    -- a partitioned table cannot have them
    where c.relkind = 'r' and pg_has_role(c.relowner, 'usage')
      and not exists (select from unnest(c.reloptions) o where o like 'autovacuum%')
  loop
    begin
      execute format('alter table %s set (%s)', v_table.name, v_table.settings);
    exception when others then
      raise debug 'the vacuum settings of % were not set: %', v_table.name, sqlerrm;
    end;
  end loop;
end $$;

-- Makes a queue if it does not exist. A queue that was dropped by hand would give out ids again that its commands have had,
-- so it goes on after the last one.
create function command_bus_make_queue(queue text) returns void
language plpgsql
-- another transaction that stays open may be making it; callers try again for a while
set lock_timeout = '1s'
as $$
declare
  v_last bigint;
begin
  if queue !~ '^[a-z_][a-z0-9_-]*$' then
    raise exception '% is not a valid queue name', queue using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from pgmq.meta m where m.queue_name = queue) then
    -- not queues of replies, which each report of a worker comes here for
    if command_bus_domain_of(queue) is not null then
      perform command_bus_tend_queue(queue);
    end if;
    return;
  end if;
  if command_bus_only_sends() and (select count(*) from pgmq.meta) >= command_bus_most_queues_of_senders() then
    raise exception 'role % may not make another queue: there are too many', quote_ident(command_bus_caller())
      using errcode = 'insufficient_privilege', hint = 'drop some, or let the owner replace function command_bus_most_queues_of_senders()';
  end if;
  perform pgmq.create(queue);
  perform command_bus_tend_queue(queue);
  if command_bus_domain_of(queue) is not null then
    select max(c.msg_id) into v_last from command_bus_command c
      where c.domain = command_bus_domain_of(queue) collate "C" and c.queue_name = queue;
    if v_last is not null then
      perform setval(s.name, v_last) from (select pg_get_serial_sequence(format('pgmq.%I', 'q_' || queue), 'msg_id')::regclass as name) s
        where pg_sequence_last_value(s.name) is null;
    end if;
  end if;
  perform command_bus_grant_queue(queue);
end $$;

-- Replies that could not be put on their queue: its name is not valid, it is a queue of commands, or a right is missing. A
-- reply that was delivered later stays as a record of who did it, without its body.
create table command_bus_undelivered (
  reply_id     bigint generated always as identity,
  domain       text collate "C" not null,
  command_id   uuid not null,
  tenant_id    text collate "C",
  queue        text collate "C" not null,
  body         jsonb,
  reason       text not null,
  since        timestamptz not null default clock_timestamp(),
  -- attempts to deliver it, with the first one
  tries        int not null default 1,
  delivered_at timestamptz,
  delivered_by text,
  delivered_to text collate "C",
  constraint command_bus_undelivered_pkey primary key (reply_id),
  constraint command_bus_undelivered_delivered check (
    (delivered_at is null) = (delivered_by is null) and (delivered_at is null) = (delivered_to is null)
    and (delivered_at is null) = (body is not null))
);

-- few wait, however many were delivered
create index command_bus_undelivered_waiting on command_bus_undelivered (reply_id) where delivered_at is null;
create index command_bus_undelivered_command on command_bus_undelivered (command_id);

-- Puts replies on their queue, which is made if necessary. Returns why that cannot be done, or null. Raises errors that pass
-- by themselves (a deadlock, a full disk, a shutdown).
create function command_bus_put_replies(queue text, bodies jsonb[]) returns text
language plpgsql as $$
begin
  if command_bus_domain_of(lower(queue)) is not null then
    return 'the queue is for commands, not for replies';
  end if;
  perform command_bus_make_queue(queue);
  perform pgmq.send_batch(queue, bodies);
  return null;
exception when others then
  if left(sqlstate, 2) in ('25', '40', '53', '57', '58', 'XX') then
    raise;
  end if;
  return sqlerrm;
end $$;

-- Delivers undelivered replies to their queue or to `target`. A second caller waits, and finds them delivered. Returns one row
-- for each that was tried; `why` is null for those delivered.
create function command_bus_deliver_replies(ids bigint[], target text, actor text)
returns table (reply_id bigint, domain text, command_id uuid, queue text, why text)
language plpgsql as $$
declare
  v_kept command_bus_undelivered;
begin
  if coalesce(actor, '') = '' then
    raise exception 'say who delivers' using errcode = 'invalid_parameter_value';
  end if;
  for v_kept in
    select u.* from command_bus_undelivered u where u.reply_id = any (ids) and u.delivered_at is null order by u.reply_id for update
  loop
    reply_id := v_kept.reply_id;
    domain := v_kept.domain;
    command_id := v_kept.command_id;
    queue := coalesce(target, v_kept.queue);
    why := command_bus_put_replies(queue, array[v_kept.body]);
    update command_bus_undelivered u set
      tries = u.tries + 1,
      reason = coalesce(why, u.reason),
      body = case when why is not null then u.body end,
      delivered_at = case when why is null then clock_timestamp() end,
      delivered_by = case when why is null then actor end,
      delivered_to = case when why is null then command_bus_deliver_replies.queue end
    where u.reply_id = v_kept.reply_id;
    return next;
  end loop;
end $$;

-- Figures of some queues. Each takes a few locks until the end of the transaction, so callers with many queues call several
-- times. Small tables are counted; for larger ones the server's statistics are used, so that the cost does not grow with the
-- messages. `known`: {queue: id}, the first message of an earlier answer, where the search for the first message begins.
create function command_bus_queue_figures(queues text[], known jsonb) returns table (
  queue text, depth double precision, visible double precision, oldest_seconds double precision, newest_seconds double precision,
  total double precision, first text, strangers int)
language plpgsql as $$
declare
  v_table  regclass;
  v_plan   json;
  v_all    double precision;
  v_oldest timestamptz;
  v_newest timestamptz;
  v_first  bigint;
begin
  for queue in select m.queue_name from pgmq.meta m where m.queue_name = any (queues) order by m.queue_name loop
    v_table := to_regclass(format('pgmq.%I', 'q_' || queue));
    continue when v_table is null or not has_table_privilege(v_table, 'select');
    total := coalesce(pg_sequence_last_value(pg_get_serial_sequence(v_table::text, 'msg_id')::regclass), 0);
    v_first := null;
    v_newest := null;
    if pg_relation_size(v_table) <= 4 * 1024 * 1024 then
      execute format('select count(*), count(*) filter (where q.vt <= now()), min(q.enqueued_at), max(q.enqueued_at), min(q.msg_id) from %s q', v_table)
        into depth, visible, v_oldest, v_newest, v_first;
    else
      execute format('select q.enqueued_at, q.msg_id from %s q where q.msg_id >= $1 order by q.msg_id limit 1', v_table)
        into v_oldest, v_first using coalesce((known->>queue)::bigint, 0);
      if v_first is not null then
        execute format('select q.enqueued_at from %s q where q.msg_id >= $1 order by q.msg_id desc limit 1', v_table)
          into v_newest using v_first;
      end if;
      execute format('explain (format json) select from %s', v_table) into v_plan;
      v_all := (v_plan#>>'{0,Plan,Plan Rows}')::float8;
      execute format('explain (format json) select from %s q where q.vt <= now()', v_table) into v_plan;
      visible := (v_plan#>>'{0,Plan,Plan Rows}')::float8;
      depth := case when v_first is null then 0 else greatest(1, coalesce(nullif(pg_stat_get_live_tuples(v_table), 0), v_all)) end;
      visible := round(depth * least(1, visible / greatest(1, v_all)));
    end if;
    oldest_seconds := extract(epoch from clock_timestamp() - v_oldest);
    newest_seconds := extract(epoch from clock_timestamp() - v_newest);
    first := coalesce(v_first, total::bigint + 1);
    strangers := (select count(*) from command_bus_stranger s where s.queue = command_bus_queue_figures.queue and s.settled_at is null);
    return next;
  end loop;
end $$;
