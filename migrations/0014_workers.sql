-- Workers announce themselves: every few seconds each process writes one statement for all its workers. A row is one start of a worker.
-- No command depends on these rows: they show people who works, and that nobody does.
create table command_bus_worker (
  instance_id uuid not null,
  worker_id   text collate "C" not null,
  domain      text collate "C" not null,
  host        text not null,
  pid         int not null,
  -- the version or commit of its program
  build       text,
  -- the command types that it has handlers for; `*`: all
  types       text[] not null,
  slots       int not null,
  busy        int not null,
  -- it takes no new commands
  stopping    boolean not null,
  -- the attempts that run longest, at most 20: [{commandId, commandType, tenantId, attempt, ms}]
  running     jsonb not null,
  started_at  timestamptz not null,
  beat_at     timestamptz not null,
  constraint command_bus_worker_pkey primary key (instance_id)
) with (fillfactor = 50);

-- One beat of the workers of a process, by the database's clock: `gone` have stopped. A beat waits for no lock: the next one follows
-- soon. Rows that nobody has renewed for an hour are deleted.
create function command_bus_beat(workers jsonb, gone uuid[]) returns void
language plpgsql
set lock_timeout = '500ms'
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  delete from command_bus_worker w where w.instance_id = any (gone);
  insert into command_bus_worker as w (instance_id, worker_id, domain, host, pid, build, types, slots, busy, stopping, running, started_at, beat_at)
  select x.instance, x.id, x.of_domain, left(x.of_host, 255), x.of_pid, x.of_build, array(select jsonb_array_elements_text(x.of_types)), x.of_slots,
    x.of_busy, x.stops, coalesce(x.runs, '[]'), v_now - x.age_ms * interval '1 millisecond', v_now
  from jsonb_to_recordset(workers) x(instance uuid, id text, of_domain text, of_host text, of_pid int, of_build text, of_types jsonb,
    of_slots int, of_busy int, stops boolean, runs jsonb, age_ms float8)
  on conflict on constraint command_bus_worker_pkey do update set
    types = excluded.types, busy = excluded.busy, stopping = excluded.stopping, running = excluded.running, beat_at = excluded.beat_at;
  delete from command_bus_worker w where w.instance_id in (
    select o.instance_id from command_bus_worker o where o.beat_at < v_now - interval '1 hour' for update skip locked);
end $$;

-- One that was not heard of for so long is lost.
create function command_bus_is_heard(beat_at timestamptz) returns boolean language sql volatile as $$
  select beat_at > clock_timestamp() - interval '20 seconds' $$;

-- Whether a worker is there that takes commands of this type.
create function command_bus_is_handled(of_domain text, of_type text) returns boolean
language plpgsql as $$
begin
  return exists (select from command_bus_worker w
    where w.domain = of_domain and not w.stopping and command_bus_is_heard(w.beat_at) and w.types && array['*', of_type]);
end $$;

-- Commands that could begin now, and that no worker is there for: by domain and type, with their number and since when the first
-- of them could begin. It looks at no more than 100 domains, and in each at the 1,000 commands that were sent first and at the first
-- 1,000 messages that can be read.
create function command_bus_unhandled(of_domain text, of_tenant text)
returns table (domain text, command_type text, has_worker boolean, ready int, oldest timestamptz)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_now   timestamptz := clock_timestamp();
  v_types text[];
  v_pause boolean;
  v_table regclass;
  v_due   text;
  v_its   constant text := 'c.command_id, c.command_type, c.tenant_id, c.lane, c.status, c.updated_at, c.run_at, c.next_attempt_at, c.lease_expires_at';
begin
  for domain in
    -- one probe of the index of open commands for each domain that has some
    with recursive pending(name) as (
      (select c.domain from command_bus_command c where c.status = 'PENDING' order by c.status, c.domain limit 1)
      union all
      select (select c.domain from command_bus_command c where c.status = 'PENDING' and c.domain > p.name order by c.status, c.domain limit 1)
      from pending p where p.name is not null
    ), running(name) as (
      (select c.domain from command_bus_command c where c.status = 'IN_PROGRESS' order by c.status, c.domain limit 1)
      union all
      select (select c.domain from command_bus_command c where c.status = 'IN_PROGRESS' and c.domain > r.name order by c.status, c.domain limit 1)
      from running r where r.name is not null
    )
    select f.name from (select p.name from pending p union select r.name from running r) f
    where f.name is not null and (of_domain is null or f.name = of_domain)
      -- all of it is paused: nobody is to begin anything
      and not exists (select from command_bus_pause p where p.domain = f.name and p.command_type is null and p.tenant_id is null
        and p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until))
      and not command_bus_is_handled(f.name, '*')
    order by 1 limit 100
  loop
    v_types := array(select distinct t.type from command_bus_worker w cross join unnest(w.types) t(type)
      where w.domain = command_bus_unhandled.domain and not w.stopping and command_bus_is_heard(w.beat_at));
    v_pause := exists (select from command_bus_pause p
      where p.domain = command_bus_unhandled.domain and p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until));
    v_due := '';
    for v_table in
      select to_regclass(format('pgmq.%I', 'q_' || command_bus_queue_of(command_bus_unhandled.domain, p.name))) from unnest('{high, normal, low}'::text[]) p(name)
    loop
      continue when v_table is null or not has_table_privilege(v_table, 'select');
      -- also those whose worker was lost: they are not PENDING
      v_due := v_due || format($q$ union all
        select c.* from (select q.message->>'command_id' as id from %s q where q.vt <= $1 order by q.vt limit 1000) d
        -- row by row: without statistics, the planner would read all commands of the domain
        cross join lateral (select %s from command_bus_command c where c.domain = $2 collate "C"
          and c.command_id = case when d.id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then d.id::uuid end offset 0) c
        -- most were sent first, too: looking each up again would be most of the work
        where d.id not in (select f.command_id::text from sent_first f) $q$, v_table, v_its);
    end loop;
    return query execute format($q$
      with sent_first as materialized (
        select %s from command_bus_command c where c.status = 'PENDING' and c.domain = $2 collate "C"
        order by c.status, c.domain, c.created_at limit 1000)
      select $2, c.command_type, cardinality($3) > 0, count(*)::int, min(c.since)
      from (
        select distinct on (c.command_id) c.command_id, c.command_type, c.tenant_id, c.lane,
          case c.status when 'PENDING' then greatest(c.updated_at, c.run_at, c.next_attempt_at) else c.lease_expires_at end as since
        from (select f.* from sent_first f %s) c
        where c.status in ('PENDING', 'IN_PROGRESS') and c.command_type <> all ($3)
          and ($4 is null or coalesce(c.tenant_id, '') = $4)) c
      where c.since <= $1
        and (c.lane is null or coalesce((select l.state from command_bus_lane_entry l
          where l.command_id = c.command_id and l.domain = $2 collate "C"), 'admitted') = 'admitted')
        and (not $5 or not exists (select from command_bus_pause p where p.domain = $2 collate "C" and p.resumed_at is null
          and command_bus_in_force(p.resumed_at, p.until) and (p.command_type is null or p.command_type = c.command_type)
          and (p.tenant_id is null or p.tenant_id = c.tenant_id)))
      group by c.command_type $q$, v_its, v_due) using v_now, domain, v_types, of_tenant, v_pause;
  end loop;
end $$;

do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array['command_bus_beat(jsonb, uuid[])', 'command_bus_is_handled(text, text)']::regprocedure[] loop
    execute format('alter function %s security definer', v_function);
    execute format('revoke all on function %s from public', v_function);
  end loop;
end $$;
