-- What operators write down about causes: parked commands of one domain, type and error code. A read table, changed by events
-- in the transaction that appends them.
create table command_bus_cause (
  cause_id             uuid not null,
  domain               text collate "C" not null,
  command_type         text collate "C" not null,
  error_code           text collate "C" not null,
  assignee             text collate "C",
  tags                 text[] collate "C" not null,
  notes                int not null,
  last_note            text,
  noted_by             text,
  noted_at             timestamptz,
  -- until then its commands are left out of counts and alerts
  investigated_until   timestamptz,
  investigated_by      text,
  investigation_reason text,
  updated_at           timestamptz not null,
  revision             bigint not null,
  constraint command_bus_cause_pkey primary key (cause_id),
  constraint command_bus_cause_key unique (domain, command_type, error_code)
);
-- few are under investigation, however many there are
create index command_bus_cause_investigated on command_bus_cause (domain) where investigated_until is not null;
