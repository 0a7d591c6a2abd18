-- The log. Positions may commit out of order, so readers of the feed use (xid, position) below the oldest running
-- transaction; see docs/adr/0002. Rows never change, and only archived ones are removed; see docs/adr/0015.
create table command_bus_event (
  position bigint generated always as identity,
  xid      xid8 not null default pg_current_xact_id(),
  stream   text collate "C" not null,
  revision bigint not null check (revision >= 0),
  id       uuid not null,
  type     text collate "C" not null,
  data     jsonb not null,
  meta     jsonb not null,
  -- the message that this event put on a queue
  msg_id   bigint,
  recorded timestamptz not null default clock_timestamp(),
  -- of the event and the hash of the one before it in its stream
  hash     bytea not null,
  primary key (stream, revision)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

create index command_bus_event_feed on command_bus_event (xid, position);

-- What an event's hash covers, besides the hash before it. Numbers are big-endian, texts UTF-8; `recorded` is in
-- microseconds since 2000. The data is covered by its own hash, so that a copy without secrets can still be checked.
-- The same in TypeScript: src/infrastructure/proof/chain/event-hash.ts
create function command_bus_event_content(
  stream text, revision bigint, id uuid, type text, data jsonb, meta jsonb, msg_id bigint, recorded timestamptz
) returns bytea language sql stable parallel safe
return int8send(revision) || uuid_send(id) || timestamptz_send(recorded) || int8send(coalesce(msg_id, 0))
  || int4send(octet_length(stream)) || int4send(octet_length(type))
  || sha256(convert_to(data::text, 'UTF8')) || convert_to(stream || type || meta::text, 'UTF8');

create function command_bus_link(state bytea, before bytea, content bytea) returns bytea language sql immutable parallel safe
return sha256(coalesce(before, state) || content);

-- Hashes of events that follow one another. Only the first needs `before`.
create aggregate command_bus_chain(before bytea, content bytea) (sfunc = command_bus_link, stype = bytea, parallel = safe);

-- The chain over the whole log: each seal covers the events after the seal before up to its position, in the order of the
-- feed. Seal 0 names the log.
create table command_bus_seal (
  number    bigint not null,
  -- the last event it covers
  xid       xid8 not null,
  position  bigint not null,
  events    bigint not null,
  sealed_at timestamptz not null,
  -- what else it covers: the name of the log, or what was archived
  about     jsonb not null default '{}',
  hash      bytea not null,
  -- Ed25519: the public key and the signature of the hash
  key       bytea,
  signature bytea,
  constraint command_bus_seal_pkey primary key (number),
  constraint command_bus_seal_number check (number >= 0 and events >= 0),
  constraint command_bus_seal_signed check ((key is null) = (signature is null))
);

-- What a seal's hash covers, besides the hash of the seal before; `digest` is over the hashes of its events.
create function command_bus_seal_content(
  number bigint, "position" bigint, events bigint, sealed_at timestamptz, about jsonb, digest bytea
) returns bytea language sql stable parallel safe
return int8send(number) || int8send("position") || int8send(events) || timestamptz_send(sealed_at) || digest
  || convert_to(about::text, 'UTF8');

insert into command_bus_seal (number, xid, position, events, sealed_at, about, hash)
select s.*, sha256(command_bus_seal_content(s.number, s.position, s.events, s.sealed_at, s.about, sha256('')))
from (select 0::bigint as number, '0'::xid8 as xid, 0::bigint as position, 0::bigint as events, clock_timestamp() as sealed_at,
        jsonb_build_object('log', gen_random_uuid()) as about offset 0) s;

-- What stays of streams that were moved to files: enough to refuse new events in them, and to check the seals.
create table command_bus_archived_stream (
  stream   text collate "C" not null,
  -- of its last event
  revision bigint not null,
  hash     bytea not null,
  status   text collate "C" not null,
  -- the seal that names the file
  seal     bigint not null,
  constraint command_bus_archived_stream_pkey primary key (stream)
);

create table command_bus_archived_event (
  xid      xid8 not null,
  position bigint not null,
  hash     bytea not null,
  constraint command_bus_archived_event_pkey primary key (xid, position)
);

-- Archived messages of commands that are still here.
create table command_bus_archived_message (
  queue  text collate "C" not null,
  msg_id bigint not null,
  seal   bigint not null,
  constraint command_bus_archived_message_pkey primary key (queue, msg_id)
);

create function command_bus_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the event log is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

-- Allows the removal of events that are recorded as archived, whole streams only.
create function command_bus_refuse_loss() returns trigger language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  if not exists (
    select from gone g
    where not exists (select from command_bus_archived_event a where a.xid = g.xid and a.position = g.position and a.hash = g.hash)
      or not exists (select from command_bus_archived_stream s where s.stream = g.stream)
      or exists (select from command_bus_event e where e.stream = g.stream))
  then
    return null;
  end if;
  raise exception 'the event log is append-only: % on % is refused, except for archived streams', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create trigger command_bus_event_append_only
  before update on command_bus_event
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_event_no_loss
  after delete on command_bus_event referencing old table as gone
  for each statement execute function command_bus_refuse_loss();

create trigger command_bus_event_no_truncate
  before truncate on command_bus_event
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_seal_append_only
  before update or delete or truncate on command_bus_seal
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_archived_stream_append_only
  before update or delete or truncate on command_bus_archived_stream
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_archived_event_append_only
  before update or delete or truncate on command_bus_archived_event
  for each statement execute function command_bus_refuse_change();

create trigger command_bus_archived_message_append_only
  before update or delete or truncate on command_bus_archived_message
  for each statement execute function command_bus_refuse_change();

-- When commands were parked, newest first, to show the troubleshooting queue at an instant.
create index command_bus_event_parked on command_bus_event ((meta->>'at') desc, stream desc)
  where type in ('CommandMovedToTroubleshooting', 'OperatorEndedAttempt');
