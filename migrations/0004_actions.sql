-- Bulk actions of operators on parked commands. The items are stored when the action is started, and each gets its outcome
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
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  constraint command_bus_action_details check (
    jsonb_typeof(details) = 'object' and (canary is null or (action = 'retry' and canary >= 1))),
  constraint command_bus_action_status check (
    status in ('RUNNING', 'WAITING_FOR_CANARY', 'COMPLETED', 'CANARY_FAILED', 'STOPPED')),
  constraint command_bus_action_canary check (
    canary is not null or status not in ('WAITING_FOR_CANARY', 'CANARY_FAILED')),
  constraint command_bus_action_note check ((status in ('CANARY_FAILED', 'STOPPED')) = (note is not null)),
  constraint command_bus_action_counts check (
    succeeded >= 0 and failed >= 0 and skipped >= 0 and done_to between 0 and total
    and case when status = 'RUNNING' then succeeded + failed + skipped < total
             when status = 'WAITING_FOR_CANARY' then succeeded + failed + skipped <= total
             else succeeded + failed + skipped = total end)
);

create index command_bus_action_open on command_bus_action (created_at, id)
  where status in ('RUNNING', 'WAITING_FOR_CANARY');
create index command_bus_action_newest on command_bus_action (created_at desc, id desc);

create table command_bus_action_item (
  action_id  uuid not null references command_bus_action on delete cascade,
  ordinal    int not null check (ordinal >= 1),
  domain     text collate "C" not null,
  command_id uuid not null,
  -- of the command when the item was stored; null: the command could not be included
  revision   bigint,
  -- null: not yet
  outcome    text collate "C",
  message    text,
  primary key (action_id, ordinal),
  constraint command_bus_action_item_outcome check (outcome in ('SUCCEEDED', 'FAILED', 'SKIPPED')),
  constraint command_bus_action_item_message check ((coalesce(outcome, 'SUCCEEDED') = 'SUCCEEDED') = (message is null)),
  constraint command_bus_action_item_revision check (revision is not null or message is not null)
  -- each row is written twice
) with (fillfactor = 60);
