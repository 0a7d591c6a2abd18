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
