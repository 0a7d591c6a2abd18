-- Lanes: at most `width` commands of a lane run at once over all workers, and at most `rate_per_second` of them begin. A command
-- whose lane is full has its message, but hidden, until the transaction that ends (or parks) one of the lane shows it: so
-- a worker never reads what may not run, and commands without a lane cost nothing. See docs/adr/0024_lanes.md.
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
  constraint command_bus_lane_entry_pkey primary key (domain, command_id),
  constraint command_bus_lane_entry_state check (state in ('waiting', 'admitted', 'parked', 'aside', 'scheduled'))
) with (autovacuum_vacuum_scale_factor = 0.02);
create index command_bus_lane_entry_place on command_bus_lane_entry (domain, lane, state, place);

-- When the next attempt of a lane with a rate may begin, if the lane uses all of it.
create table command_bus_lane_bucket (
  domain  text collate "C" not null,
  lane    text collate "C" not null,
  next_at timestamptz not null,
  constraint command_bus_lane_bucket_pkey primary key (domain, lane)
) with (fillfactor = 50);

-- Lanes to be looked at again, as their settings have changed, or as the transaction that ended one of them could not see the
-- others. Workers do that when they find nothing to read.
create table command_bus_lane_check (
  check_id   bigint generated always as identity,
  domain     text collate "C" not null,
  -- null: all that the rule has named
  lane       text collate "C",
  limit_name text collate "C",
  constraint command_bus_lane_check_pkey primary key (check_id)
);
