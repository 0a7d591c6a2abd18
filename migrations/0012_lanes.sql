-- Lanes: at most `width` commands of a lane run at once over all workers, and at most `rate_per_second` of them begin. A command
-- whose lane is full has its message, but hidden, until the transaction that ends (or parks) one of the lane shows it: so
-- a worker never reads what may not run, and commands without a lane cost nothing. See docs/adr/0026.
--
-- Every change of a lane's entries is made under the lane's lock, which its transactions take before they do anything else. So
-- places grow in the order in which the sends commit.

-- The settings of single lanes. A read table.
create table command_bus_lane (
  domain          text collate "C" not null,
  lane            text collate "C" not null,
  width           int not null,
  -- null: as many as the width allows
  rate_per_second double precision,
  -- what a parked command does to its lane: hold (it keeps its place), or pass
  on_park         text collate "C" not null,
  updated_by      text not null,
  updated_at      timestamptz not null,
  -- it has no settings of its own any more
  removed_at      timestamptz,
  revision        bigint not null,
  constraint command_bus_lane_pkey primary key (domain, lane),
  constraint command_bus_lane_width check (width between 1 and 1000),
  constraint command_bus_lane_rate check (rate_per_second > 0),
  constraint command_bus_lane_on_park check (on_park in ('hold', 'pass'))
);

-- Rules that put commands into lanes when they are sent. A read table.
create table command_bus_limit (
  domain          text collate "C" not null,
  name            text collate "C" not null,
  -- null: every type
  command_type    text collate "C",
  -- type: lane `<name>`; tenant: lane `<name>/<tenant>` of each tenant; key: the lane of each key
  lanes_by        text collate "C" not null,
  width           int not null,
  rate_per_second double precision,
  on_park         text collate "C" not null,
  updated_by      text not null,
  updated_at      timestamptz not null,
  -- its lanes have no limit any more; those of a key are as without a rule
  removed_at      timestamptz,
  revision        bigint not null,
  constraint command_bus_limit_pkey primary key (domain, name),
  constraint command_bus_limit_by check (lanes_by in ('type', 'tenant', 'key')),
  constraint command_bus_limit_width check (width between 1 and 1000),
  constraint command_bus_limit_rate check (rate_per_second > 0),
  constraint command_bus_limit_on_park check (on_park in ('hold', 'pass'))
);

-- The commands of lanes that have not ended. What changes them: src/projections/outbox.ts
create table command_bus_lane_entry (
  domain     text collate "C" not null,
  command_id uuid not null,
  lane       text collate "C" not null,
  -- the rule that named the lane
  limit_name text collate "C",
  place      bigint generated always as identity,
  -- waiting: its message is hidden; admitted: it may run, or runs; parked: it holds its place; aside: parked, and the next may
  -- pass; scheduled: it joins its lane when it is due
  state      text collate "C" not null,
  queue      text collate "C" not null,
  msg_id     bigint not null,
  run_at     timestamptz,
  -- the time that the lane's rate has given to its next attempt
  turn_at    timestamptz,
  since      timestamptz not null default clock_timestamp(),
  -- not the domain first: while the table has no statistics, a lookup of a lane could use this index and read the whole domain
  constraint command_bus_lane_entry_pkey primary key (command_id, domain),
  constraint command_bus_lane_entry_state check (state in ('waiting', 'admitted', 'parked', 'aside', 'scheduled'))
) with (autovacuum_vacuum_scale_factor = 0.02);
create index command_bus_lane_entry_place on command_bus_lane_entry (domain, lane, state, place);

-- What the rate of a lane has given.
create table command_bus_lane_bucket (
  domain   text collate "C" not null,
  lane     text collate "C" not null,
  rate     double precision not null,
  -- when the next attempt may begin, if the lane uses all of it
  next_at  timestamptz not null,
  -- the same, counted by attempts that have begun
  begun_at timestamptz not null,
  constraint command_bus_lane_bucket_pkey primary key (domain, lane)
) with (fillfactor = 50);

-- Lanes to be looked at again: somebody had them locked when their settings changed, or the transaction that ended one of them could
-- not see the others. Workers do that when they find nothing to read.
create table command_bus_lane_check (
  check_id   bigint generated always as identity,
  domain     text collate "C" not null,
  -- null: all that the rule has named
  lane       text collate "C",
  limit_name text collate "C",
  -- their settings are others than before
  changed    boolean not null,
  constraint command_bus_lane_check_pkey primary key (check_id)
);

-- The rules in force, for senders, by name.
create function command_bus_lane_rules() returns table (domain text, name text, command_type text, lanes_by text)
language plpgsql stable as $$
begin
  return query select l.domain, l.name, l.command_type, l.lanes_by from command_bus_limit l
    where l.removed_at is null order by l.domain, l.name;
end $$;

-- The visible time of messages that wait for their lane.
create function command_bus_hidden() returns timestamptz language sql immutable parallel safe as $$ select '9999-01-01 00:00:00+00'::timestamptz $$;

create function command_bus_lane_key(domain text, lane text) returns bigint language sql immutable parallel safe
  as $$ select hashtextextended(domain || ' ' || lane, 7108218620261123) $$;

-- Takes the locks of lanes until the end of the transaction, always in the same order. `parts`: [{domain, lane}].
create function command_bus_lock_lanes(parts jsonb) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(k.key) from (
    select distinct command_bus_lane_key(x->>'domain', x->>'lane') as key from jsonb_array_elements(parts) x order by 1 offset 0) k;
end $$;

-- What holds for a lane whose last command was put there by the rule `of_limit`; a width of null lets everybody run.
create function command_bus_lane_rule(of_domain text, of_lane text, of_limit text) returns table (width int, rate double precision, on_park text)
language sql stable as $$
  select
    case when l.lane is not null then l.width when of_limit is null then 1 when r.removed_at is not null then case when r.lanes_by = 'key' then 1 end else r.width end,
    case when l.lane is not null then l.rate_per_second when r.removed_at is null then r.rate_per_second end,
    coalesce(l.on_park, case when r.removed_at is null then r.on_park end, 'hold')
  from (select) as one
  left join command_bus_lane l on l.domain = of_domain and l.lane = of_lane and l.removed_at is null
  left join command_bus_limit r on r.domain = of_domain and r.name = of_limit
$$;

-- The rule that put the last command of a lane there; null: none, or the lane is empty.
create function command_bus_lane_limit(of_domain text, of_lane text) returns text language sql stable as $$
  select e.limit_name from unnest('{waiting,admitted,parked,aside,scheduled}'::text[]) s(state)
  cross join lateral (
    select n.place, n.limit_name from command_bus_lane_entry n
    where n.domain = of_domain and n.lane = of_lane and n.state = s.state order by n.place desc limit 1) e
  order by e.place desc limit 1
$$;

-- How many more of a lane may run, at most `width` of them; null: all.
create function command_bus_lane_room(of_domain text, of_lane text, width int) returns table (room int) language sql stable as $$
  select case when width is not null then width - (select count(*)::int from (
    select from command_bus_lane_entry e
    where e.domain = of_domain and e.lane = of_lane and e.state in ('admitted', 'parked') limit width) counted) end
$$;

-- A snapshot of the whole transaction may be older than the lanes' locks: what it shows of others' commands proves nothing.
create function command_bus_sees_lanes() returns boolean language sql stable as $$
  select current_setting('transaction_isolation') in ('read committed', 'read uncommitted') $$;

-- Sets when messages become visible; those of a queue that was dropped are gone.
create function command_bus_show(queue text, msg_ids bigint[], visible_at timestamptz) returns void language plpgsql as $$
begin
  if to_regclass(format('pgmq.%I', 'q_' || queue)) is null then
    return;
  end if;
  execute format('update pgmq.%I q set vt = $2 where q.msg_id = any ($1)', 'q_' || queue) using msg_ids, visible_at;
end $$;

-- How many commands of a lane one transaction lets in, or takes back: of a rule that was removed a million may wait.
create function command_bus_most_at_once() returns int language sql immutable parallel safe as $$ select 5000 $$;

-- Lets those run that are next in their lanes, as far as there is room. The caller has the lanes' locks. Returns the queues of
-- their messages. If that are very many, the lanes are noted and workers go on.
create function command_bus_admit(domains text[], lanes text[]) returns text[]
language plpgsql as $$
declare
  v_queue    text;
  v_ids      bigint[];
  v_queues   text[] := '{}';
  v_admitted int := 0;
begin
  if not command_bus_sees_lanes() then
    insert into command_bus_lane_check (domain, lane, changed) select distinct t.domain, t.lane, false from unnest(domains, lanes) t(domain, lane);
    return v_queues;
  end if;
  for v_queue, v_ids in
    with waited as materialized (
      select distinct t.domain, t.lane from unnest(domains, lanes) t(domain, lane)
      where exists (select from command_bus_lane_entry e where e.domain = t.domain and e.lane = t.lane and e.state = 'waiting')
    ), room as materialized (
      select t.domain, t.lane, o.room from waited t
      cross join lateral command_bus_lane_rule(t.domain, t.lane, command_bus_lane_limit(t.domain, t.lane)) r
      cross join lateral command_bus_lane_room(t.domain, t.lane, r.width) o
    ), next as materialized (
      select n.domain, n.command_id from room r
      cross join lateral (
        select e.domain, e.command_id from command_bus_lane_entry e
        where e.domain = r.domain and e.lane = r.lane and e.state = 'waiting' order by e.place
        limit greatest(0, least(r.room, command_bus_most_at_once()))) n
    ), admitted as (
      update command_bus_lane_entry e set state = 'admitted', since = clock_timestamp()
      from next n where e.domain = n.domain and e.command_id = n.command_id
      returning e.queue, e.msg_id)
    select a.queue, array_agg(a.msg_id) from admitted a group by a.queue
  loop
    perform command_bus_show(v_queue, v_ids, clock_timestamp());
    v_queues := v_queues || v_queue;
    v_admitted := v_admitted + cardinality(v_ids);
  end loop;
  if v_admitted >= command_bus_most_at_once() then
    insert into command_bus_lane_check (domain, lane, changed) select distinct t.domain, t.lane, false from unnest(domains, lanes) t(domain, lane);
  end if;
  return v_queues;
end $$;

-- What a unit of work does to lanes: [{event, op, domain, command_id, lane, limit?, queue?, run_at?}], one at most for each command.
--
--   enter     the command joins its lane, or will do so when it is due
--   park      it is parked: it holds its place, or lets the next pass
--   return    it was parked, and has a new message
--   schedule  nobody has begun it, and it will join its lane at `run_at`; if that has passed, it keeps the place it has
--   leave     it has ended
--
-- `msg_of`: the message of each event, from event 0. `losers`: events that were not appended. Returns the queues with messages
-- that have become visible.
create function command_bus_move_lanes(parts jsonb, msg_of bigint[], losers int[]) returns text[]
language plpgsql
-- as in command_bus_commit: a table without statistics must not turn a lookup by key into a scan
set enable_material = off
as $$
declare
  v_ops     text[] := array(select distinct x.op from jsonb_to_recordset(parts) x(op text));
  v_domains text[];
  v_lanes   text[];
  v_queues  text[] := '{}';
begin
  if 'leave' = any (v_ops) then
    delete from command_bus_lane_entry e using jsonb_to_recordset(parts) x(event int, op text, domain text, command_id uuid)
      where x.op = 'leave' and x.event <> all (losers) and e.domain = x.domain and e.command_id = x.command_id;
  end if;
  if v_ops && '{park,return,schedule}' then
    perform command_bus_change_lanes(parts, msg_of, losers);
  end if;
  if v_ops <> '{enter}' then
    select array_agg(x.domain), array_agg(x.lane) into v_domains, v_lanes
      from jsonb_to_recordset(parts) x(op text, domain text, lane text) where x.op <> 'enter';
    v_queues := command_bus_admit(v_domains, v_lanes);
  end if;
  if 'enter' = any (v_ops) then
    v_queues := v_queues || command_bus_enter_lanes(parts, msg_of, losers);
  end if;
  return v_queues;
end $$;

create function command_bus_change_lanes(parts jsonb, msg_of bigint[], losers int[]) returns void
language plpgsql as $$
declare
  v_queue text;
  v_ids   bigint[];
begin
  -- one that comes back from aside, or is to run now, may have to wait for its turn
  for v_queue, v_ids in
    with changed as (
      update command_bus_lane_entry e set since = clock_timestamp(), turn_at = null,
        state = case x.op when 'park' then case when r.on_park = 'pass' then 'aside' else 'parked' end
          when 'schedule' then case when x.run_at > clock_timestamp() then 'scheduled' else e.state end
          else case e.state when 'parked' then 'admitted' else 'waiting' end end,
        msg_id = coalesce(nullif(msg_of[x.event + 1], 0), e.msg_id),
        run_at = coalesce(x.run_at, e.run_at)
      from jsonb_to_recordset(parts) x(event int, op text, domain text, command_id uuid, lane text, run_at timestamptz)
      cross join lateral command_bus_lane_rule(x.domain, x.lane, command_bus_lane_limit(x.domain, x.lane)) r
      where x.op in ('park', 'return', 'schedule') and x.event <> all (losers) and e.domain = x.domain and e.command_id = x.command_id
      returning e.queue, e.msg_id, e.state)
    select c.queue, array_agg(c.msg_id) from changed c where c.state = 'waiting' group by c.queue
  loop
    perform command_bus_show(v_queue, v_ids, command_bus_hidden());
  end loop;
end $$;

-- Places are given in the order of the unit's events. Returns the queues with messages that have become visible: a rule that was
-- set since may leave more room than those had that wait already.
create function command_bus_enter_lanes(parts jsonb, msg_of bigint[], losers int[]) returns text[]
language plpgsql as $$
declare
  v_queue   text;
  v_ids     bigint[];
  v_open    jsonb;
  v_domains text[] := '{}';
  v_lanes   text[] := '{}';
begin
  for v_queue, v_ids, v_open in
    with given as materialized (
      select x.*, x.run_at is not null and x.run_at > clock_timestamp() as scheduled
      from jsonb_to_recordset(parts) x(event int, op text, domain text, command_id uuid, lane text, "limit" text, queue text, run_at timestamptz)
      where x.op = 'enter' and x.event <> all (losers)
    ), numbered as materialized (
      select g.*, row_number() over (partition by g.domain, g.lane, g.scheduled order by g.event) as n,
        first_value(g."limit") over (partition by g.domain, g.lane order by g.event desc) as by_limit
      from given g
    ), room as materialized (
      select l.domain, l.lane, o.room,
        command_bus_sees_lanes() and not exists (
          select from command_bus_lane_entry e where e.domain = l.domain and e.lane = l.lane and e.state = 'waiting') as is_next
      from (select distinct d.domain, d.lane, d.by_limit from numbered d) l
      cross join lateral command_bus_lane_rule(l.domain, l.lane, l.by_limit) r
      cross join lateral command_bus_lane_room(l.domain, l.lane, r.width) o
    ), entered as (
      insert into command_bus_lane_entry (domain, command_id, lane, limit_name, state, queue, msg_id, run_at)
      select d.domain, d.command_id, d.lane, d."limit",
        case when d.scheduled then 'scheduled' when r.is_next and (r.room is null or d.n <= r.room) then 'admitted' else 'waiting' end,
        d.queue, msg_of[d.event + 1], d.run_at
      from numbered d join room r on r.domain = d.domain and r.lane = d.lane
      order by d.event
      on conflict (domain, command_id) do nothing
      returning queue, msg_id, state, domain, lane)
    select e.queue, array_agg(e.msg_id),
      jsonb_agg(jsonb_build_array(e.domain, e.lane)) filter (where not r.is_next and (r.room is null or r.room > 0))
    from entered e join room r on r.domain = e.domain and r.lane = e.lane
    where e.state = 'waiting' group by e.queue
  loop
    perform command_bus_show(v_queue, v_ids, command_bus_hidden());
    v_domains := v_domains || array(select o->>0 from jsonb_array_elements(v_open) o);
    v_lanes := v_lanes || array(select o->>1 from jsonb_array_elements(v_open) o);
  end loop;
  if not command_bus_sees_lanes() then
    insert into command_bus_lane_check (domain, lane, changed)
      select distinct x.domain, x.lane, false from jsonb_to_recordset(parts) x(op text, domain text, lane text) where x.op = 'enter';
    return '{}';
  end if;
  return case when v_lanes = '{}' then v_lanes else command_bus_admit(v_domains, v_lanes) end;
end $$;

-- Which of these messages, just read from a queue and of commands in lanes, may begin. All others go back, and their read does
-- not count: until their lane's rate lets them, or hidden until it is their turn.
create function command_bus_begin(queue text, msg_ids bigint[], deliveries int[], command_ids uuid[]) returns setof bigint
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
as $$
declare
  v_domain text := command_bus_domain_of(queue);
  v_free   bigint[];
  v_rated  uuid[];
  v_others uuid[];
  v_lanes  text[] := '{}';
  v_back   record;
begin
  if v_domain is null then
    raise exception '% is not a queue of commands', quote_ident(queue) using errcode = 'invalid_parameter_value';
  end if;
  select array_agg(g.msg_id) filter (where e.state = 'admitted' and r.rate is null),
      array_agg(g.command_id) filter (where e.state = 'admitted' and r.rate is not null),
      array_agg(g.command_id) filter (where e.state is distinct from 'admitted')
    into v_free, v_rated, v_others
    from unnest(msg_ids, command_ids) g(msg_id, command_id)
    left join command_bus_lane_entry e on e.domain = v_domain and e.command_id = g.command_id
    left join lateral command_bus_lane_rule(e.domain, e.lane, e.limit_name) r on e.state = 'admitted';
  return query select unnest(v_free);
  if v_rated is null and v_others is null then
    return;
  end if;
  if v_rated is not null then
    -- whoever cancels one of them takes its message before its entry, too
    execute format('select from pgmq.%I q join unnest($1, $2) g(msg_id, command_id) on g.msg_id = q.msg_id
      where g.command_id = any ($3) order by q.msg_id for update of q', 'q_' || queue) using msg_ids, command_ids, v_rated;
  end if;

  for v_back in
    select g.msg_id, g.delivery, b.visible_at, b.lane
    from (
      select t.command_id, t.begins_at as visible_at, null as lane from command_bus_take_turns(v_domain, v_rated) t
      union all
      select j.command_id, j.visible_at, j.lane from command_bus_join_lanes(queue, v_others, msg_ids, deliveries, command_ids) j) b
    join unnest(msg_ids, deliveries, command_ids) g(msg_id, delivery, command_id) on g.command_id = b.command_id
  loop
    if v_back.visible_at is null then
      return next v_back.msg_id;
    else
      execute format('update pgmq.%I q set vt = $3, read_ct = q.read_ct - 1 where q.msg_id = $1 and q.read_ct = $2', 'q_' || queue)
        using v_back.msg_id, v_back.delivery, v_back.visible_at;
      v_lanes := v_lanes || v_back.lane;
    end if;
  end loop;
  v_lanes := array_remove(v_lanes, null);
  if v_lanes <> '{}' then
    perform command_bus_admit(array_fill(v_domain, array[cardinality(v_lanes)]), v_lanes);
  end if;
end $$;

-- Gives each command, all of them in lanes with a rate, the time at which its next attempt begins; null: now. A lane that was idle
-- begins with as many as the rate allows in a second, one at least. Commands that come late, as no worker was there or a pause kept
-- them, are spread again: otherwise all of them would begin together. A bucket says nothing when its times have passed, so now and
-- then those of a domain are removed.
create function command_bus_take_turns(of_domain text, command_ids uuid[]) returns table (command_id uuid, begins_at timestamptz)
language plpgsql as $$
declare
  v_lane  record;
  v_next  timestamptz;
  v_begun timestamptz;
  v_first timestamptz;
  v_turn  timestamptz;
  v_late  int;
  v_tidy  boolean := false;
begin
  for v_lane in
    select e.lane, r.rate, bool_or(e.place % 500 = 0) as tidy, array_agg(e.command_id order by e.place) as ids, array_agg(e.turn_at order by e.place) as turns,
      count(*) filter (where e.turn_at is null) / r.rate as wanted, greatest(1, 1 / r.rate) as burst
    from unnest(command_ids) g(id)
    join command_bus_lane_entry e on e.domain = of_domain and e.command_id = g.id
    cross join lateral command_bus_lane_rule(e.domain, e.lane, e.limit_name) r
    where e.state = 'admitted'
    -- two callers lock buckets in the same order
    group by e.lane, r.rate order by e.lane
  loop
    v_tidy := v_tidy or v_lane.tidy;
    -- with another rate than before, what that has given does not count
    insert into command_bus_lane_bucket as b (domain, lane, rate, next_at, begun_at)
    values (of_domain, v_lane.lane, v_lane.rate, clock_timestamp() + make_interval(secs => v_lane.wanted), clock_timestamp())
    on conflict (domain, lane) do update set
      rate = excluded.rate,
      next_at = least(greatest(b.next_at, clock_timestamp()),
        case when b.rate <> excluded.rate then clock_timestamp() + make_interval(secs => v_lane.burst) end) + make_interval(secs => v_lane.wanted),
      begun_at = least(b.begun_at, case when b.rate <> excluded.rate then clock_timestamp() + make_interval(secs => v_lane.burst) end)
    returning b.next_at - make_interval(secs => v_lane.wanted), b.begun_at into v_next, v_begun;
    v_late := 0;
    for i in 1 .. cardinality(v_lane.ids) loop
      v_turn := v_lane.turns[i];
      if v_turn is null then
        v_next := v_next + make_interval(secs => 1 / v_lane.rate);
        v_turn := v_next - make_interval(secs => v_lane.burst);
      end if;
      if v_turn <= clock_timestamp() then
        -- one more than the burst, as times are rounded
        v_first := v_begun - make_interval(secs => v_lane.burst + 1 / v_lane.rate);
        if v_first > clock_timestamp() then
          v_turn := v_first + make_interval(secs => v_late / v_lane.rate);
          v_late := v_late + 1;
        else
          v_begun := greatest(v_begun, clock_timestamp()) + make_interval(secs => 1 / v_lane.rate);
        end if;
      end if;
      command_id := v_lane.ids[i];
      begins_at := case when v_turn > clock_timestamp() then v_turn end;
      if begins_at is distinct from v_lane.turns[i] then
        update command_bus_lane_entry e set turn_at = begins_at where e.domain = of_domain and e.command_id = v_lane.ids[i];
      end if;
      return next;
    end loop;
    update command_bus_lane_bucket b set begun_at = v_begun
      where b.domain = of_domain and b.lane = v_lane.lane and b.begun_at <> v_begun;
  end loop;
  if v_tidy then
    delete from command_bus_lane_bucket b where b.ctid = any (array(
      select o.ctid from command_bus_lane_bucket o
      where o.domain = of_domain and greatest(o.next_at, o.begun_at) < clock_timestamp() - interval '1 minute'
      limit 5000 for update skip locked));
  end if;
end $$;

-- Lets commands join their lanes that were due just now, or have lost their entry. Returns for each when its message becomes
-- visible, and its lane if that has to admit somebody now.
create function command_bus_join_lanes(queue text, ids uuid[], msg_ids bigint[], deliveries int[], command_ids uuid[])
returns table (command_id uuid, visible_at timestamptz, lane text)
language plpgsql as $$
declare
  v_domain text := command_bus_domain_of(queue);
  v_one    record;
begin
  for v_one in
    select g.id, coalesce(e.lane, s.data->>'lane') as lane, s.data->>'limit' as limit_name
    from unnest(ids) g(id)
    left join command_bus_lane_entry e on e.domain = v_domain and e.command_id = g.id
    left join command_bus_event s on s.stream = command_bus_command_stream(v_domain, g.id) collate "C" and s.revision = 0
    order by e.run_at nulls first, e.place
  loop
    command_id := v_one.id;
    lane := null;
    if v_one.lane is null then
      visible_at := null;
    elsif not pg_try_advisory_xact_lock(command_bus_lane_key(v_domain, v_one.lane)) then
      visible_at := clock_timestamp() + interval '20 milliseconds';
    else
      update command_bus_lane_entry e set state = 'waiting', place = default, since = clock_timestamp()
        where e.domain = v_domain and e.command_id = v_one.id and e.state = 'scheduled' and e.run_at <= clock_timestamp();
      -- one without an entry has just ended, unless its message is still there
      if not exists (select from command_bus_lane_entry e where e.domain = v_domain and e.command_id = v_one.id) then
        execute format('insert into command_bus_lane_entry (domain, command_id, lane, limit_name, state, queue, msg_id)
          select $1, $2, $3, $4, ''waiting'', $5, q.msg_id
          from unnest($6, $7, $8) g(msg_id, delivery, command_id) join pgmq.%I q on q.msg_id = g.msg_id and q.read_ct = g.delivery
          where g.command_id = $2', 'q_' || queue)
          using v_domain, v_one.id, v_one.lane, v_one.limit_name, queue, msg_ids, deliveries, command_ids;
      end if;
      select e.lane, case e.state when 'waiting' then command_bus_hidden() when 'scheduled' then e.run_at end
        into lane, visible_at from command_bus_lane_entry e where e.domain = v_domain and e.command_id = v_one.id;
      -- admitted, parked or ended in the meantime: it is looked at again, if it is still there
      visible_at := coalesce(visible_at, clock_timestamp() + interval '20 milliseconds');
    end if;
    return next;
  end loop;
end $$;

-- Notes that settings have changed; `writes` as in command_bus_put_rows.
create function command_bus_check_lanes(writes jsonb) returns void language sql as $$
  insert into command_bus_lane_check (domain, lane, limit_name, changed)
  select x->'row'->>'domain', x->'row'->>'lane', x->'row'->>'name', true from jsonb_array_elements(writes) x
$$;

-- What new settings of a lane mean for commands that were let in before. The caller has the lane's lock. Returns the queues with
-- messages that have become visible.
create function command_bus_change_settings(of_domain text, of_lane text) returns text[]
language plpgsql as $$
declare
  v_rule   record;
  v_queue  text;
  v_ids    bigint[];
  v_over   record;
  v_count  int := 0;
  v_taken  int;
  v_queues text[] := '{}';
begin
  select * into v_rule from command_bus_lane_rule(of_domain, of_lane, command_bus_lane_limit(of_domain, of_lane));
  update command_bus_lane_entry e set state = 'aside' where v_rule.on_park = 'pass' and e.domain = of_domain and e.lane = of_lane and e.state = 'parked';
  -- turns that an earlier rate has given
  update command_bus_lane_bucket b set next_at = clock_timestamp() + make_interval(secs => greatest(1, 1 / v_rule.rate))
    where v_rule.rate is not null and b.domain = of_domain and b.lane = of_lane;
  for v_queue, v_ids in
    with freed as (
      update command_bus_lane_entry e set turn_at = null
      where e.domain = of_domain and e.lane = of_lane and e.state = 'admitted' and e.turn_at > clock_timestamp()
      returning e.queue, e.msg_id)
    select f.queue, array_agg(f.msg_id) from freed f group by f.queue
  loop
    perform command_bus_show(v_queue, v_ids, clock_timestamp());
    v_queues := v_queues || v_queue;
  end loop;
  -- a lane that has become narrower takes back what nobody has read, the last ones first
  for v_over in
    select e.command_id, e.queue, e.msg_id from command_bus_lane_entry e
    where e.domain = of_domain and e.lane = of_lane and e.state = 'admitted'
    order by e.place desc
    limit least(command_bus_most_at_once(), greatest(0, (select count(*) from command_bus_lane_entry n
      where n.domain = of_domain and n.lane = of_lane and n.state in ('admitted', 'parked')) - v_rule.width))
  loop
    continue when to_regclass(format('pgmq.%I', 'q_' || v_over.queue)) is null;
    execute format('update pgmq.%I q set vt = $2 where q.msg_id = $1 and q.read_ct = 0 and q.vt <= clock_timestamp()', 'q_' || v_over.queue)
      using v_over.msg_id, command_bus_hidden();
    get diagnostics v_taken = row_count;
    v_count := v_count + v_taken;
    update command_bus_lane_entry e set state = 'waiting', since = clock_timestamp()
      where v_taken > 0 and e.domain = of_domain and e.command_id = v_over.command_id;
  end loop;
  if v_count >= command_bus_most_at_once() then
    insert into command_bus_lane_check (domain, lane, changed) values (of_domain, of_lane, true);
  end if;
  return v_queues;
end $$;

-- Looks again at the lanes of a domain that are noted for it, and lets those run that may by now. Returns the queues with messages
-- that have become visible. Lanes that somebody else has locked stay noted.
create function command_bus_admit_lanes(of_domain text) returns text[]
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
as $$
declare
  v_noted  record;
  v_queues text[] := '{}';
begin
  if not command_bus_sees_lanes() then
    return v_queues;
  end if;
  with rules as (
    delete from command_bus_lane_check c where c.domain = of_domain and c.lane is null returning c.limit_name)
  insert into command_bus_lane_check (domain, lane, changed)
    select distinct of_domain, e.lane, true from command_bus_lane_entry e where e.domain = of_domain and e.limit_name in (select limit_name from rules);
  for v_noted in
    select n.lane, array_agg(n.check_id) as ids, bool_or(n.changed) as changed
    from (select c.lane, c.check_id, c.changed from command_bus_lane_check c where c.domain = of_domain order by c.check_id limit 1000) n
    group by n.lane order by n.lane
  loop
    continue when not pg_try_advisory_xact_lock(command_bus_lane_key(of_domain, v_noted.lane));
    delete from command_bus_lane_check c where c.check_id = any (v_noted.ids);
    if v_noted.changed then
      v_queues := v_queues || command_bus_change_settings(of_domain, v_noted.lane);
    end if;
    v_queues := v_queues || command_bus_admit(array[of_domain], array[v_noted.lane]);
  end loop;
  return array(select distinct q from unnest(v_queues) q);
end $$;
