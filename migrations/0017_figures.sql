-- Figures of the last seven days, counted from the log by one process at a time. Each event is counted in buckets of three lengths,
-- so that a chart of any range reads about a hundred buckets a type: 60 seconds (kept for a day), 900 and 7,200 (kept for a week).
-- The position up to which the log is counted is the checkpoint 'figures', saved with the counts.
create table command_bus_type_figure (
  seconds         int not null,
  bucket          timestamptz not null,
  domain          text collate "C" not null,
  command_type    text collate "C" not null,
  -- commands of tenants are counted apart from those without one
  of_tenant       boolean not null,
  sent            bigint not null,
  -- attempts that began, and those that failed and were to be repeated
  begun           bigint not null,
  failed_attempts bigint not null,
  completed       bigint not null,
  failed          bigint not null,
  parked          bigint not null,
  canceled        bigint not null,
  -- when a handler last succeeded
  succeeded_at    timestamptz,
  -- How long attempts waited (from when they were due), and how long they ran: the first element counts those below 1 ms, element n
  -- those below 2^((n - 1) / 4) ms.
  waits           int[] not null,
  runs            int[] not null,
  constraint command_bus_type_figure_pkey primary key (seconds, bucket, domain, command_type, of_tenant)
);

create table command_bus_error_figure (
  seconds         int not null,
  bucket          timestamptz not null,
  domain          text collate "C" not null,
  command_type    text collate "C" not null,
  error_code      text collate "C" not null,
  of_tenant       boolean not null,
  failed_attempts bigint not null,
  failed          bigint not null,
  parked          bigint not null,
  first_at        timestamptz not null,
  last_at         timestamptz not null,
  constraint command_bus_error_figure_pkey primary key (seconds, bucket, domain, command_type, error_code, of_tenant)
);

-- What was last seen on a queue in a bucket. A queue that did not change has no new rows.
create table command_bus_queue_sample (
  seconds int not null,
  bucket  timestamptz not null,
  queue   text collate "C" not null,
  depth   bigint not null,
  -- all messages ever
  total   bigint not null,
  constraint command_bus_queue_sample_pkey primary key (seconds, queue, bucket)
);

-- The element that counts a length of time.
create function command_bus_slot(ms double precision) returns int language sql immutable parallel safe
return case when ms < 1 then 1 when ms is not null then least(120, 2 + floor(4 * ln(ms) / ln(2::double precision) + 1e-9)::int) end;

create function command_bus_histogram(slots int[]) returns int[] language sql immutable parallel safe
return (select coalesce(array_agg(n order by slot), '{}') from (
  select g.slot, count(s.slot)::int as n from generate_series(1, (select max(x) from unnest(slots) x)) g(slot)
  left join unnest(slots) s(slot) on s.slot = g.slot group by g.slot) counted);

create function command_bus_add_histograms(one int[], other int[]) returns int[] language sql immutable parallel safe
return (select coalesce(array_agg(coalesce(u.a, 0) + coalesce(u.b, 0) order by u.n), '{}') from unnest(one, other) with ordinality u(a, b, n));

-- Where counting begins: before the first event of the last seven days. Transactions grow with time, and events have an index by them.
create function command_bus_figures_begin() returns text language plpgsql stable as $$
declare
  v_low      bigint := 0;
  v_high     bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  v_middle   bigint;
  v_recorded timestamptz;
begin
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    select e.recorded into v_recorded from command_bus_event e where e.xid >= v_middle::text::xid8 order by e.xid, e.position limit 1;
    if v_recorded is null or v_recorded >= now() - interval '7 days' then
      v_high := v_middle;
    else
      v_low := v_middle;
    end if;
  end loop;
  return v_low || '/0';
end $$;

-- Counts the next events that may be read: up to `most`, and up to 16 MiB. `more`: there may be more at once. Whoever else counts
-- meanwhile waits, and goes on from there.
create function command_bus_count_figures(most int, out counted int, out more boolean)
language plpgsql as $$
declare
  v_from     text;
  v_xid      xid8;
  v_position bigint;
  v_last     text;
  v_most_bytes constant bigint := 16777216;
begin
  select c.position into v_from from command_bus_checkpoint c where c.projection = 'figures' for update;
  if not found then
    insert into command_bus_checkpoint (projection, position) values ('figures', command_bus_figures_begin()) on conflict do nothing;
    select c.position into v_from from command_bus_checkpoint c where c.projection = 'figures' for update;
  end if;
  v_xid := split_part(v_from, '/', 1)::xid8;
  v_position := split_part(v_from, '/', 2)::bigint;

  with page as materialized (
    select x.* from (
      select e.xid, e.position, e.stream, e.revision, e.type, e.data, e.meta, e.recorded,
        sum(pg_column_size(e.data)) over (order by e.xid, e.position) - pg_column_size(e.data) as before
      from command_bus_event e
      where (e.xid, e.position) > (v_xid, v_position) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.position limit most) x
    where x.before < v_most_bytes
  ), ends as (
    select count(*)::int as n, count(*) = most or coalesce(max(p.before), 0) > v_most_bytes / 2 as more,
      (select l.xid || '/' || l.position from page l order by l.xid desc, l.position desc limit 1) as last
    from page p
  ), facts as materialized (
    select p.type, substr(p.stream, 9, length(p.stream) - 45) as domain, p.meta#>>'{context,commandType}' as command_type,
      p.meta#>>'{context,tenantId}' is not null as of_tenant, p.recorded,
      times.begun_at is not null as begun, p.data ? 'uncounted' as uncounted,
      case when p.type in ('CommandFailed', 'CommandMovedToTroubleshooting', 'CommandRejectedByBusinessRule', 'CommandExhausted',
        'OperatorEndedAttempt') and not p.data ? 'uncounted' then p.data#>>'{error,code}' end as error_code,
      command_bus_slot(extract(epoch from times.begun_at - times.due_at) * 1000) as wait_slot,
      command_bus_slot(extract(epoch from times.ended_at - times.started_at) * 1000) as run_slot
    from page p
    -- how long an attempt waited and ran is between an event and the one before it
    left join command_bus_event b on b.stream = p.stream and b.revision = p.revision - 1 and p.type in ('CommandReceived', 'CommandCompleted',
      'CommandFailed', 'CommandMovedToTroubleshooting', 'CommandRejectedByBusinessRule', 'CommandExhausted')
    cross join lateral (select
      case p.type
        when 'CommandReceived' then case when not (p.data->>'lost')::boolean then (p.meta->>'at')::timestamptz end
        when 'CommandCompleted' then (p.data#>>'{receipt,at}')::timestamptz end as begun_at,
      case b.type
        when 'CommandSent' then greatest((b.meta->>'at')::timestamptz, (b.data->>'runAt')::timestamptz)
        when 'CommandRescheduled' then greatest((b.meta->>'at')::timestamptz, (b.data->>'runAt')::timestamptz)
        when 'CommandFailed' then (b.data->>'retryAt')::timestamptz
        when 'CommandReceived' then (b.data->>'leaseExpiresAt')::timestamptz
        when 'OperatorRetried' then (b.meta->>'at')::timestamptz end as due_at,
      coalesce(case p.type when 'CommandCompleted' then (p.data#>>'{receipt,at}')::timestamptz end,
        case when b.type = 'CommandReceived' and not (b.data->>'lost')::boolean then (b.meta->>'at')::timestamptz end) as started_at,
      -- an attempt whose worker was lost ended at an unknown time
      case when p.type = 'CommandCompleted' or p.type <> 'CommandReceived' and p.data#>>'{error,type}' in ('TRANSIENT', 'PERMANENT', 'BUSINESS_RULE')
        then (p.meta->>'at')::timestamptz end as ended_at) times
    where p.stream >= 'command-' and p.stream < 'command.' and p.meta#>>'{context,commandType}' is not null
  ), kept as (
    select f.*, l.seconds, date_bin(make_interval(secs => l.seconds), f.recorded, '2000-01-01Z') as bucket
    from facts f join (values (60, interval '1 day'), (900, interval '7 days'), (7200, interval '7 days')) l(seconds, keep)
      on f.recorded >= now() - l.keep
  ), types as (
    insert into command_bus_type_figure as t (seconds, bucket, domain, command_type, of_tenant, sent, begun, failed_attempts, completed, failed, parked,
      canceled, succeeded_at, waits, runs)
    select k.seconds, k.bucket, k.domain, k.command_type, k.of_tenant,
      count(*) filter (where k.type = 'CommandSent'),
      count(*) filter (where k.begun),
      count(*) filter (where k.type = 'CommandFailed' and not k.uncounted),
      count(*) filter (where k.type in ('CommandCompleted', 'OperatorCompleted')),
      count(*) filter (where k.type in ('CommandRejectedByBusinessRule', 'CommandExhausted')),
      count(*) filter (where k.type in ('CommandMovedToTroubleshooting', 'OperatorEndedAttempt')),
      count(*) filter (where k.type in ('CommandCanceled', 'CommandExpired', 'OperatorCanceled')),
      max(k.recorded) filter (where k.type = 'CommandCompleted'),
      command_bus_histogram(array_agg(k.wait_slot) filter (where k.wait_slot is not null)),
      command_bus_histogram(array_agg(k.run_slot) filter (where k.run_slot is not null))
    from kept k group by k.seconds, k.bucket, k.domain, k.command_type, k.of_tenant
    on conflict (seconds, bucket, domain, command_type, of_tenant) do update set
      sent = t.sent + excluded.sent, begun = t.begun + excluded.begun, failed_attempts = t.failed_attempts + excluded.failed_attempts,
      completed = t.completed + excluded.completed, failed = t.failed + excluded.failed, parked = t.parked + excluded.parked,
      canceled = t.canceled + excluded.canceled, succeeded_at = greatest(t.succeeded_at, excluded.succeeded_at),
      waits = command_bus_add_histograms(t.waits, excluded.waits), runs = command_bus_add_histograms(t.runs, excluded.runs)
  ), codes as (
    -- Handlers choose codes, and may put an id into each: those of a type beyond the first hundred in a bucket are counted together.
    select c.*, case when c.known then c.error_code when c.place > 100 then '(other)'
      when c.place + (select count(distinct r.error_code) from command_bus_error_figure r where r.seconds = c.seconds and r.bucket = c.bucket
        and r.domain = c.domain and r.command_type = c.command_type) <= 100 then c.error_code else '(other)' end as shown
    from (
      select d.*, row_number() over (partition by d.seconds, d.bucket, d.domain, d.command_type, d.known order by d.error_code) as place
      from (
        select distinct k.seconds, k.bucket, k.domain, k.command_type, k.error_code, exists (
          select from command_bus_error_figure r where r.seconds = k.seconds and r.bucket = k.bucket and r.domain = k.domain
            and r.command_type = k.command_type and r.error_code = k.error_code) as known
        from kept k where k.error_code is not null) d) c
  ), errors as (
    insert into command_bus_error_figure as r (seconds, bucket, domain, command_type, error_code, of_tenant, failed_attempts, failed, parked, first_at, last_at)
    select k.seconds, k.bucket, k.domain, k.command_type, c.shown, k.of_tenant,
      count(*) filter (where k.type = 'CommandFailed'),
      count(*) filter (where k.type in ('CommandRejectedByBusinessRule', 'CommandExhausted')),
      count(*) filter (where k.type in ('CommandMovedToTroubleshooting', 'OperatorEndedAttempt')),
      min(k.recorded), max(k.recorded)
    from kept k join codes c using (seconds, bucket, domain, command_type, error_code)
    group by k.seconds, k.bucket, k.domain, k.command_type, c.shown, k.of_tenant
    on conflict (seconds, bucket, domain, command_type, error_code, of_tenant) do update set
      failed_attempts = r.failed_attempts + excluded.failed_attempts, failed = r.failed + excluded.failed,
      parked = r.parked + excluded.parked, first_at = least(r.first_at, excluded.first_at), last_at = greatest(r.last_at, excluded.last_at)
  )
  select e.n, e.more, e.last into counted, more, v_last from ends e;

  if v_last is not null then
    update command_bus_checkpoint c set position = v_last, updated_at = clock_timestamp() where c.projection = 'figures';
  end if;
end $$;

-- Since when nobody has read anything from a queue: how old its oldest message is, if nobody has read that yet. Of a queue whose first
-- thousand messages were read, it says nothing.
create function command_bus_unread_since(queues text[]) returns table (queue text, since timestamptz)
language plpgsql as $$
declare
  v_table regclass;
begin
  for queue in select m.queue_name from pgmq.meta m where m.queue_name = any (queues) order by m.queue_name loop
    v_table := to_regclass(format('pgmq.%I', 'q_' || queue));
    continue when v_table is null or not has_table_privilege(v_table, 'select');
    execute format('select q.enqueued_at from (select * from %s order by msg_id limit 1000) q where q.read_ct = 0 and q.vt <= now() order by q.msg_id limit 1', v_table)
      into since;
    return next;
  end loop;
end $$;

alter function command_bus_unread_since(text[]) security definer;
revoke all on function command_bus_unread_since(text[]) from public;
revoke all on function command_bus_count_figures(int) from public;
revoke all on function command_bus_figures_begin() from public;
