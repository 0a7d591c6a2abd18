-- What is paused, or was: the last pause of each scope. A read table, changed by events in the transaction that appends them.
create table command_bus_pause (
  pause_id     uuid not null,
  domain       text collate "C" not null,
  -- null: every type
  command_type text collate "C",
  -- null: every tenant, and commands without one
  tenant_id    text collate "C",
  reason       text not null,
  -- null: until it is resumed
  until        timestamptz,
  paused_by    text not null,
  paused_at    timestamptz not null,
  resumed_by   text,
  resumed_at   timestamptz,
  revision     bigint not null,
  constraint command_bus_pause_pkey primary key (pause_id),
  constraint command_bus_pause_resumed check ((resumed_by is null) = (resumed_at is null))
);
-- few are in force, however many there were
create index command_bus_pause_in_force on command_bus_pause (domain) where resumed_at is null;

-- Whether a pause is in force now. One that has run out counts as resumed.
create function command_bus_in_force(resumed_at timestamptz, until timestamptz) returns boolean language sql volatile as $$
  select resumed_at is null and (until is null or until > clock_timestamp()) $$;

-- Messages that workers have read and put aside, because a pause keeps their commands from beginning: they are hidden until
-- the pause ends, so that they are not read again and again. `vt`: until when this hid the message; a message with another
-- one has been read or changed since.
create table command_bus_paused_message (
  queue    text collate "C" not null,
  pause_id uuid not null,
  msg_id   bigint not null,
  vt       timestamptz not null,
  constraint command_bus_paused_message_pkey primary key (queue, pause_id, msg_id)
);

-- Puts messages aside, each for its pause, and takes the read back; with the check of the last read that
-- command_bus_hand_back has. They come back a minute after the end of the pause also if nobody releases them.
create function command_bus_put_aside(queue text, msg_ids bigint[], deliveries int[], pauses uuid[]) returns void
language plpgsql as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  execute format($q$
    with aside as (
      update pgmq.%I q set
        vt = coalesce((select p.until + interval '1 minute' from command_bus_pause p where p.pause_id = x.pause_id),
          clock_timestamp() + interval '1 year'),
        read_ct = q.read_ct - 1
      from unnest($2, $3, $4) x(msg_id, delivery, pause_id)
      where q.msg_id = x.msg_id and q.read_ct = x.delivery
      returning q.msg_id, x.pause_id, q.vt)
    insert into command_bus_paused_message as m (queue, pause_id, msg_id, vt) select $1, a.pause_id, a.msg_id, a.vt from aside a
    on conflict on constraint command_bus_paused_message_pkey do update set vt = excluded.vt $q$, 'q_' || queue)
    using queue, msg_ids, deliveries, pauses;
end $$;

-- The pauses of some domains: those in force, and those that have ended and still have messages put aside. Workers call it
-- several times a second, so it reads one entry of the index for each pause with messages, however many there are.
create function command_bus_pauses(of_domains text[])
returns table (domain text, queue text, pause_id uuid, command_type text, tenant_id text, ended boolean)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return query
    with recursive aside as (
      select q.name, q.queue, (select m.pause_id from command_bus_paused_message m where m.queue = q.queue order by m.pause_id limit 1) as id
      from (select d.name, command_bus_queue_of(d.name, p.name) as queue
        from unnest(of_domains) d(name), unnest('{normal, high, low}'::text[]) p(name)) q
      union all
      select a.name, a.queue, (select m.pause_id from command_bus_paused_message m
        where m.queue = a.queue and m.pause_id > a.id order by m.pause_id limit 1)
      from aside a where a.id is not null
    )
    select p.domain, null, p.pause_id, p.command_type, p.tenant_id, false from command_bus_pause p
      where p.domain = any (of_domains) and p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until)
    union all
    select a.name, a.queue, a.id, null, null, true from aside a
      where a.id is not null and not exists (
        select from command_bus_pause p where p.pause_id = a.id and command_bus_in_force(p.resumed_at, p.until));
end $$;

-- Brings messages of a pause that has ended back to their places in the queue, up to `most`; returns how many there were. A
-- message that somebody works on stays for the next call.
create function command_bus_release(queue text, of_pause uuid, most int) returns int
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_ids  bigint[];
  v_vts  timestamptz[];
  v_stay bigint[];
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from command_bus_pause p where p.pause_id = of_pause and command_bus_in_force(p.resumed_at, p.until)) then
    return 0;
  end if;
  select array_agg(t.msg_id), array_agg(t.vt) into v_ids, v_vts from (
    select m.msg_id, m.vt from command_bus_paused_message m where m.queue = command_bus_release.queue and m.pause_id = of_pause
    order by m.msg_id limit most for update skip locked) t;
  if v_ids is null then
    return 0;
  end if;
  execute format($q$
    with found as materialized (
      select q.msg_id from unnest($1, $2) x(msg_id, vt) join pgmq.%1$I q on q.msg_id = x.msg_id
      where q.vt is not distinct from x.vt for update of q skip locked)
    update pgmq.%1$I q set vt = least(q.enqueued_at, clock_timestamp()) from found f where q.msg_id = f.msg_id $q$, 'q_' || queue)
    using v_ids, v_vts;
  -- these are locked by somebody; all others are back, or are hidden by somebody else, or gone
  execute format($q$
    select coalesce(array_agg(q.msg_id), '{}') from unnest($1, $2) x(msg_id, vt) join pgmq.%1$I q on q.msg_id = x.msg_id
    where q.vt is not distinct from x.vt $q$,
    'q_' || queue) into v_stay using v_ids, v_vts;
  delete from command_bus_paused_message m
    where m.queue = command_bus_release.queue and m.pause_id = of_pause and m.msg_id = any (v_ids) and m.msg_id <> all (v_stay);
  return cardinality(v_ids) - cardinality(v_stay);
end $$;

-- Puts aside, unread, those of the next `most` messages that are due and that a pause of a type or a tenant keeps from beginning, so
-- that workers need not read a long backlog one by one. It begins after the place of an earlier call (null: at the first message)
-- and returns the place up to which it has looked, and at how many messages. What a message says of its type is not proved here:
-- a worker does that when the message comes back.
create function command_bus_sweep_paused(queue text, after_vt timestamptz, after_id bigint, most int)
returns table (vt text, msg_id bigint, looked_at int)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  if command_bus_domain_of(queue) is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  return query execute format($q$
    with due as materialized (
      select d.msg_id, d.vt, d.message->>'command_type' as type, case
        when d.message->>'command_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then (d.message->>'command_id')::uuid end as command_id
      from pgmq.%1$I d where d.vt >= $2 and d.vt <= $5 and (d.vt, d.msg_id) > ($2, $3) order by d.vt, d.msg_id limit $4
    ), held as materialized (
      select d.msg_id, d.vt, p.pause_id, p.until
      from due d
      cross join lateral (
        select p.pause_id, p.until from command_bus_pause p
        where p.domain = $6 collate "C" and p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until)
          and (p.command_type is not null or p.tenant_id is not null)
          and (p.command_type is null or p.command_type = d.type)
          and (p.tenant_id is null or p.tenant_id = (
            select c.tenant_id from command_bus_command c where c.domain = $6 collate "C" and c.command_id = d.command_id))
        limit 1) p
    ), found as materialized (
      -- not `=`: many messages become due at the same instant, and the index on vt would find all of them for each
      select q.msg_id, h.pause_id, h.until from held h join pgmq.%1$I q on q.msg_id = h.msg_id
      where q.vt is not distinct from h.vt for update of q skip locked
    ), aside as (
      update pgmq.%1$I q set vt = coalesce(f.until + interval '1 minute', clock_timestamp() + interval '1 year')
      from found f where q.msg_id = f.msg_id
      returning q.msg_id, f.pause_id, q.vt
    ), kept as (
      insert into command_bus_paused_message as m (queue, pause_id, msg_id, vt) select $1, a.pause_id, a.msg_id, a.vt from aside a
      on conflict on constraint command_bus_paused_message_pkey do update set vt = excluded.vt
    )
    select d.vt::text, d.msg_id, (count(*) over ())::int from due d order by d.vt desc, d.msg_id desc limit 1 $q$, 'q_' || queue)
    using queue, coalesce(after_vt, '-infinity'), coalesce(after_id, 0), most, clock_timestamp(), command_bus_domain_of(queue);
end $$;
