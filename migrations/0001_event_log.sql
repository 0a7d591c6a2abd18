-- The log. Positions may commit out of order, so readers of the feed go by (xid, position) below the oldest running
-- transaction; see docs/adr/0002. Nothing is ever changed or removed here.
create table command_bus_event (
  position bigint generated always as identity,
  xid      xid8 not null default pg_current_xact_id(),
  stream   text collate "C" not null,
  revision bigint not null check (revision >= 0),
  id       uuid not null,
  type     text collate "C" not null,
  data     jsonb not null,
  meta     jsonb not null,
  -- the message this event put on a queue, written with it
  msg_id   bigint,
  recorded timestamptz not null default clock_timestamp(),
  primary key (stream, revision)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

create index command_bus_event_feed on command_bus_event (xid, position);

create function command_bus_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the event log is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create trigger command_bus_event_append_only
  before update or delete on command_bus_event
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_event_no_truncate
  before truncate on command_bus_event
  for each statement execute function command_bus_refuse_change();
