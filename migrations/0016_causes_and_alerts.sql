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
  constraint command_bus_cause_pkey primary key (cause_id)
);
create unique index command_bus_cause_key on command_bus_cause (domain, command_type, error_code);
-- few are under investigation, however many there are
create index command_bus_cause_investigated on command_bus_cause (domain) where investigated_until is not null;

-- Webhooks that tell when something is wrong. The secret signs them; only operators' roles may read this table.
create table command_bus_alert (
  -- '*': about commands of all tenants; '': of those without a tenant; else of this tenant
  scope          text collate "C" not null,
  name           text collate "C" not null,
  url            text not null,
  secret         text not null,
  -- parked, groups, lateReplies
  watches        text[] not null,
  -- {from, to, timeZone}: nothing is sent then
  quiet          jsonb,
  digest_minutes int,
  set_by         text not null,
  set_at         timestamptz not null,
  constraint command_bus_alert_pkey primary key (scope, name)
);

-- What an alert is about at present. One that is not pending was sent, and is not sent again before it was over.
create table command_bus_alert_subject (
  scope         text collate "C" not null,
  name          text collate "C" not null,
  subject       uuid not null,
  facts         jsonb not null,
  -- the newest failure that was seen
  last_at       timestamptz not null,
  -- since when it waits to be sent; null: it was
  pending_since timestamptz,
  constraint command_bus_alert_subject_pkey primary key (scope, name, subject),
  constraint command_bus_alert_subject_alert foreign key (scope, name) references command_bus_alert on delete cascade
);

-- What was sent, and what is still to be sent. A body never changes, so that a receiver knows each by its id.
create table command_bus_alert_delivery (
  delivery_id     bigint generated always as identity,
  id              uuid not null,
  scope           text collate "C" not null,
  name            text collate "C" not null,
  -- a test of an operator: sent once, at once
  is_test         boolean not null,
  body            text not null,
  status          text not null,
  attempts        int not null default 0,
  next_attempt_at timestamptz,
  created_at      timestamptz not null,
  ended_at        timestamptz,
  -- why the last attempt failed
  last_error      text,
  constraint command_bus_alert_delivery_pkey primary key (delivery_id),
  constraint command_bus_alert_delivery_id unique (id),
  constraint command_bus_alert_delivery_status check (status in ('PENDING', 'SENT', 'FAILED', 'GIVEN_UP')),
  constraint command_bus_alert_delivery_open check ((status = 'PENDING') = (next_attempt_at is not null)),
  constraint command_bus_alert_delivery_ended check ((status = 'PENDING') = (ended_at is null))
);
create index command_bus_alert_delivery_due on command_bus_alert_delivery (next_attempt_at) where status = 'PENDING';
create index command_bus_alert_delivery_newest on command_bus_alert_delivery (scope, name, delivery_id desc);
