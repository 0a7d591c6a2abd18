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
