-- Campaigns: actions on many that go in stages, at a rate, within hours, and stop by a rule; and what became of each command.
alter table command_bus_action
  -- stages in percent, ratePerSecond, stopWhen, between
  add column campaign    jsonb not null default '{}',
  -- it carries out a plan: commands that have changed since then are skipped
  add column exact       boolean not null default false,
  -- the stage that is sent now, from 1, and the item before its first
  add column stage       int not null default 1,
  add column stage_from  int not null default 0,
  -- what the rate allows: so many at that time, and more since
  add column tokens      float8 not null default 0,
  add column tokens_at   timestamptz not null default clock_timestamp(),
  -- nothing is done before: until then a stop undoes all of it
  add column starts_at   timestamptz,
  -- the operator of the last change; null: a runner
  add column changed_by  text,
  drop constraint command_bus_action_status,
  add constraint command_bus_action_status check (
    status in ('RUNNING', 'WAITING_FOR_CANARY', 'PAUSED', 'COMPLETED', 'CANARY_FAILED', 'STOPPED', 'STOPPED_BY_RULE')),
  drop constraint command_bus_action_note,
  add constraint command_bus_action_note check (
    (status in ('CANARY_FAILED', 'STOPPED', 'STOPPED_BY_RULE', 'PAUSED')) = (note is not null)),
  drop constraint command_bus_action_counts,
  add constraint command_bus_action_counts check (
    succeeded >= 0 and failed >= 0 and skipped >= 0 and done_to between 0 and total
    and case when status = 'RUNNING' then succeeded + failed + skipped < total
             when status in ('WAITING_FOR_CANARY', 'PAUSED') then succeeded + failed + skipped <= total
             else succeeded + failed + skipped = total end),
  add constraint command_bus_action_stage check (stage >= 1 and stage_from between 0 and total and tokens >= 0);

drop index command_bus_action_open;
create index command_bus_action_open on command_bus_action (created_at, id)
  where status in ('RUNNING', 'WAITING_FOR_CANARY', 'PAUSED');

alter table command_bus_action_item
  -- the command's last error when the item was stored
  add column error_code  text collate "C",
  -- of a retry: how the command ended after it; null: it has not, as far as was looked
  add column became      text collate "C",
  add column became_code text collate "C",
  add column became_at   timestamptz,
  add constraint command_bus_action_item_became check (
    became is null or (outcome = 'SUCCEEDED' and became_at is not null
      and became in ('COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE')));

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
