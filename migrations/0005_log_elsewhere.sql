-- The position of a projection that follows a log outside this database, written together with its changes.
create table command_bus_checkpoint (
  projection text collate "C" not null,
  -- an opaque text of the log
  position   text collate "C" not null,
  updated_at timestamptz not null default clock_timestamp(),
  -- the prefix of the log's stream names, in an EventStoreDB that others use, too
  stream_prefix text collate "C" not null default '',
  constraint command_bus_checkpoint_pkey primary key (projection)
);

-- Commands sent in a caller's transaction while the log is outside this database. They are stored here, and a relay appends
-- them to the log with the same event ids. A row is deleted once the mirror has its event.
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
  -- the log refused it: it is tried again from time to time, and does not block others
  refused_at  timestamptz,
  refusal     text collate "C",
  constraint command_bus_intent_pkey primary key (intent_id),
  constraint command_bus_intent_stream_key unique (stream)
);

create index command_bus_intent_refused_idx on command_bus_intent (refused_at) where refused_at is not null;
