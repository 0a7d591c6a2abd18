-- What is sent at the times of a cron, or every so many seconds. A read table, changed by events in the transaction that
-- appends them.
create table command_bus_schedule (
  name          text collate "C" not null,
  status        text not null,
  tenant_id     text collate "C",
  domain        text collate "C" not null,
  command_type  text collate "C" not null,
  data          jsonb,
  reply_to      text collate "C",
  priority      text not null,
  key           text collate "C",
  cron          text,
  time_zone     text not null,
  every_seconds integer,
  every_from    timestamptz not null,
  missed        text not null,
  max_missed    integer not null,
  overlap       text not null,
  -- a name that was deleted may be used again
  incarnation   integer not null,
  -- only times after this instant count
  counts_after  timestamptz not null,
  created_at    timestamptz not null,
  created_by    text not null,
  set_at        timestamptz not null,
  set_by        text not null,
  paused_at     timestamptz,
  paused_by     text,
  pause_reason  text,
  revision      bigint not null,
  constraint command_bus_schedule_pkey primary key (name),
  constraint command_bus_schedule_status check (status in ('ACTIVE', 'PAUSED', 'DELETED')),
  constraint command_bus_schedule_when check ((cron is null) <> (every_seconds is null)),
  constraint command_bus_schedule_missed check (missed in ('skip', 'once', 'all')),
  constraint command_bus_schedule_priority check (priority in ('high', 'normal', 'low')),
  constraint command_bus_schedule_overlap check (overlap in ('allow', 'skip'))
);

-- How far the times of a schedule are handled. It is behind what was sent when a process dies in between: the ids of
-- commands are made from their times, so that what is sent again is a duplicate.
create table command_bus_schedule_progress (
  name             text collate "C" not null,
  incarnation      integer not null,
  handled_until    timestamptz not null,
  last_time        timestamptz,
  last_command_id  uuid,
  last_passed_over timestamptz,
  updated_at       timestamptz not null default clock_timestamp(),
  constraint command_bus_schedule_progress_pkey primary key (name)
);
