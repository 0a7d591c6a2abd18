-- Bulk actions of operators on parked commands; campaigns go in stages, at a rate, within hours, and stop by a rule. The items are stored when the action is started, and each gets its outcome
-- in the transaction that changes its command.
create table command_bus_action (
  id             uuid primary key,
  action         text collate "C" not null,
  -- the selection: {filter} or {ids: how many}
  criteria       jsonb not null,
  -- how many are retried first; the others wait until all of these have completed
  canary         int,
  -- what is done to each of them, as the action of one command takes it
  details        jsonb not null,
  operator       text not null,
  -- null: of all tenants
  tenant_id      text collate "C",
  status         text collate "C" not null,
  -- why it ended early
  note           text,
  -- commands that were parked later are not changed
  cut_off        timestamptz not null,
  total          int not null,
  succeeded      int not null default 0,
  failed         int not null default 0,
  skipped        int not null default 0,
  -- every item up to this one has its outcome
  done_to        int not null default 0,
  -- of a campaign: stages in percent, ratePerSecond, stopWhen, between
  campaign       jsonb not null default '{}',
  -- it carries out a plan: commands that have changed since then are skipped
  exact          boolean not null default false,
  -- the stage that is sent now, from 1, and the item before its first
  stage          int not null default 1,
  stage_from     int not null default 0,
  -- what the rate allows: so many at that time, and more since
  tokens         float8 not null default 0,
  tokens_at      timestamptz not null default clock_timestamp(),
  -- nothing is done before: until then a stop undoes all of it
  starts_at      timestamptz,
  -- the operator of the last change; null: a runner
  changed_by     text,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  constraint command_bus_action_details check (
    jsonb_typeof(details) = 'object' and (canary is null or (action = 'retry' and canary >= 1))),
  constraint command_bus_action_status check (
    status in ('RUNNING', 'WAITING_FOR_CANARY', 'PAUSED', 'COMPLETED', 'CANARY_FAILED', 'STOPPED', 'STOPPED_BY_RULE')),
  constraint command_bus_action_canary check (
    canary is not null or status not in ('WAITING_FOR_CANARY', 'CANARY_FAILED')),
  constraint command_bus_action_note check (
    (status in ('CANARY_FAILED', 'STOPPED', 'STOPPED_BY_RULE', 'PAUSED')) = (note is not null)),
  constraint command_bus_action_counts check (
    succeeded >= 0 and failed >= 0 and skipped >= 0 and done_to between 0 and total
    and case when status = 'RUNNING' then succeeded + failed + skipped < total
             when status in ('WAITING_FOR_CANARY', 'PAUSED') then succeeded + failed + skipped <= total
             else succeeded + failed + skipped = total end),
  constraint command_bus_action_stage check (stage >= 1 and stage_from between 0 and total and tokens >= 0)
);

create index command_bus_action_open on command_bus_action (created_at, id)
  where status in ('RUNNING', 'WAITING_FOR_CANARY', 'PAUSED');
create index command_bus_action_newest on command_bus_action (created_at desc, id desc);

create table command_bus_action_item (
  action_id   uuid not null references command_bus_action on delete cascade,
  ordinal     int not null check (ordinal >= 1),
  domain      text collate "C" not null,
  command_id  uuid not null,
  -- of the command when the item was stored; null: the command could not be included
  revision    bigint,
  -- null: not yet
  outcome     text collate "C",
  message     text,
  -- the command's last error when the item was stored
  error_code  text collate "C",
  -- of a retry: how the command ended after it; null: it has not, as far as was looked
  became      text collate "C",
  became_code text collate "C",
  became_at   timestamptz,
  primary key (action_id, ordinal),
  constraint command_bus_action_item_outcome check (outcome in ('SUCCEEDED', 'FAILED', 'SKIPPED')),
  constraint command_bus_action_item_message check ((coalesce(outcome, 'SUCCEEDED') = 'SUCCEEDED') = (message is null)),
  constraint command_bus_action_item_revision check (revision is not null or message is not null),
  constraint command_bus_action_item_became check (
    became is null or (outcome = 'SUCCEEDED' and became_at is not null
      and became in ('COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE')))
  -- each row is written twice
) with (fillfactor = 60);

-- Each state of an action, so that it can be shown as it was. Written with every change, whoever makes it.
create table command_bus_action_change (
  action_id  uuid not null references command_bus_action on delete cascade,
  -- as exact as answers show it, so that the instant of a change is one at which it holds
  at         timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  number     bigint generated always as identity,
  status     text collate "C" not null,
  stage      int not null,
  note       text,
  changed_by text,
  succeeded  int not null,
  failed     int not null,
  skipped    int not null,
  primary key (action_id, number)
);

create function command_bus_keep_change() returns trigger language plpgsql as $$
begin
  insert into command_bus_action_change (action_id, status, stage, note, changed_by, succeeded, failed, skipped)
  values (new.id, new.status, new.stage, new.note, new.changed_by, new.succeeded, new.failed, new.skipped);
  return null;
end $$;

create trigger command_bus_action_changes
after insert or update of status, stage, succeeded, failed, skipped on command_bus_action
for each row execute function command_bus_keep_change();
