-- Commands sent in a caller's transaction where the log is outside this database: they are written down here, and a
-- relay appends them to the log with these very event ids. A row goes once the mirror has its event.
create table command_bus_intent (
  intent_id   bigint generated always as identity,
  stream      text collate "C" not null,
  event_id    uuid not null,
  type        text collate "C" not null,
  data        jsonb not null,
  meta        jsonb not null,
  created_at  timestamptz not null default clock_timestamp(),
  -- the log has it, as this event or as another command with the same id
  appended_at timestamptz,
  -- the log did not take it, for a reason that lies in it: it is tried again now and then, and holds up nobody
  refused_at  timestamptz,
  refusal     text collate "C",
  constraint command_bus_intent_pkey primary key (intent_id),
  constraint command_bus_intent_stream_key unique (stream)
);

create index command_bus_intent_refused_idx on command_bus_intent (refused_at) where refused_at is not null;
