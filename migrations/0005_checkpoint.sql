-- How far a projection has come that follows a log outside this database; written together with what it projected.
create table command_bus_checkpoint (
  projection text collate "C" not null,
  -- opaque text of the log's own
  position   text collate "C" not null,
  updated_at timestamptz not null default clock_timestamp(),
  -- what the log's streams begin with, where the log is in an EventStoreDB that others use, too
  stream_prefix text collate "C" not null default '',
  constraint command_bus_checkpoint_pkey primary key (projection)
);
