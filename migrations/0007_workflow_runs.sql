-- Workflow runs, their files and templates, and the ledger of credits. Like all read tables, changed by events in the
-- transaction that appends them.
create table command_bus_workflow_template (
  template_id     uuid not null,
  -- null: every tenant may run it
  tenant_id       text collate "C",
  name            text not null,
  credits_per_run bigint not null,
  batch_mode      boolean not null,
  created_by      text not null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  archived_at     timestamptz,
  revision        bigint not null,
  constraint command_bus_workflow_template_pkey primary key (template_id),
  constraint command_bus_workflow_template_price check (credits_per_run >= 0)
);
create index command_bus_workflow_template_newest on command_bus_workflow_template (tenant_id, created_at desc, template_id desc);

create table command_bus_workflow_run (
  run_id                 uuid not null,
  tenant_id              text collate "C" not null,
  template_id            uuid not null,
  template_name          text not null,
  status                 text collate "C" not null,
  batch_mode             boolean not null,
  test_run               boolean not null,
  -- the price of a file when the run began
  credits_per_run        bigint not null,
  max_retry_count        int not null,
  total_jobs             int not null,
  completed_jobs         int not null,
  failed_jobs            int not null,
  round                  int not null,
  round_jobs             int not null,
  credits_from_monthly   bigint not null,
  credits_from_purchased bigint not null,
  -- a file is open, or a refund has not reached the ledger
  unsettled              boolean not null,
  started_by             text not null,
  created_at             timestamptz not null,
  updated_at             timestamptz not null,
  ended_at               timestamptz,
  revision               bigint not null,
  constraint command_bus_workflow_run_pkey primary key (run_id),
  constraint command_bus_workflow_run_status check (
    status in ('QUEUED', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED', 'CANCELLED')),
  constraint command_bus_workflow_run_jobs check (
    total_jobs > 0 and round_jobs between 1 and total_jobs and completed_jobs >= 0 and failed_jobs >= 0
    and completed_jobs + failed_jobs <= round_jobs and round >= 1),
  constraint command_bus_workflow_run_retries check (max_retry_count between 1 and 10),
  constraint command_bus_workflow_run_credits check (
    credits_per_run >= 0 and credits_from_monthly >= 0 and credits_from_purchased >= 0),
  constraint command_bus_workflow_run_ends check (status not in ('QUEUED', 'RUNNING') or (unsettled and ended_at is null))
) with (fillfactor = 80);
create index command_bus_workflow_run_newest on command_bus_workflow_run (created_at desc, run_id desc);
create index command_bus_workflow_run_tenant_newest on command_bus_workflow_run (tenant_id, created_at desc, run_id desc);
create index command_bus_workflow_run_unsettled on command_bus_workflow_run (updated_at) where unsettled;

create table command_bus_workflow_run_file (
  run_id          uuid not null,
  -- its index in the run's first list
  idx             int not null,
  file_name       text not null,
  status          text collate "C" not null,
  -- its job of the present round has no outcome yet
  open            boolean not null,
  -- the last round it was in
  round           int not null,
  retry_attempt   int not null,
  error_code      text collate "C",
  -- cut to a limit; the log has it whole
  error_message   text,
  last_retried_at timestamptz,
  updated_at      timestamptz not null,
  revision        bigint not null,
  constraint command_bus_workflow_run_file_pkey primary key (run_id, idx),
  constraint command_bus_workflow_run_file_status check (status in ('pending', 'completed', 'failed', 'error')),
  constraint command_bus_workflow_run_file_open check (not open or status = 'pending'),
  constraint command_bus_workflow_run_file_retries check (retry_attempt >= 0 and round >= 1 and idx >= 0)
) with (fillfactor = 80);

create table command_bus_credit_account (
  tenant_id  text collate "C" not null,
  pool       text collate "C" not null,
  -- as in 2026-11, in UTC; empty for purchased credits
  month      text collate "C" not null,
  balance    bigint not null,
  updated_at timestamptz not null,
  revision   bigint not null,
  constraint command_bus_credit_account_pkey primary key (tenant_id, pool, month),
  constraint command_bus_credit_account_pool check (pool in ('monthly', 'purchased') and (pool = 'purchased') = (month = '')),
  constraint command_bus_credit_account_balance check (balance >= 0)
);

create table command_bus_credit_entry (
  tenant_id      text collate "C" not null,
  revision       bigint not null,
  kind           text collate "C" not null,
  -- the change of each pool; negative for a charge
  monthly        bigint not null,
  purchased      bigint not null,
  month          text collate "C" not null,
  run_id         uuid,
  charge_id      uuid,
  reason         text,
  actor          text not null,
  at             timestamptz not null,
  monthly_left   bigint not null,
  purchased_left bigint not null,
  constraint command_bus_credit_entry_pkey primary key (tenant_id, revision),
  constraint command_bus_credit_entry_kind check (kind in ('GRANT', 'CHARGE', 'REFUND')),
  constraint command_bus_credit_entry_sign check (
    case when kind = 'CHARGE' then monthly <= 0 and purchased <= 0 else monthly >= 0 and purchased >= 0 end)
);
create index command_bus_credit_entry_charge on command_bus_credit_entry (charge_id) where charge_id is not null;
create index command_bus_credit_entry_charged on command_bus_credit_entry (at) where kind = 'CHARGE';

-- Writes rows of one read table: [{kind: put | patch, stream, row}]. A put has every column of a row, which may be new; a
-- patch has the key and the columns that change. Both skip rows at the same or a later revision, and streams that lost
-- their race.
create function command_bus_put_rows(target regclass, writes jsonb, lost text[]) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_columns text;
  v_values  text;
  v_sets    text;
  v_keys    text;
  v_match   text;
begin
  select string_agg(format('%I', a.attname), ', ' order by a.attnum),
         string_agg(format('p.%I', a.attname), ', ' order by a.attnum),
         string_agg(format('%1$I = excluded.%1$I', a.attname), ', ' order by a.attnum)
    into v_columns, v_values, v_sets
    from pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped;
  select string_agg(format('%I', a.attname), ', '), string_agg(format('t.%1$I = (x.key).%1$I', a.attname), ' and ')
    into v_keys, v_match
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = target and i.indisprimary;
  execute format($q$
    insert into %1$s as t (%2$s)
    select %3$s from jsonb_array_elements($1) x, jsonb_populate_record(null::%1$s, x->'row') p
    where x->>'kind' = 'put' and x->>'stream' <> all ($2)
    on conflict (%4$s) do update set %5$s where t.revision < excluded.revision $q$,
    target, v_columns, v_values, v_keys, v_sets) using writes, lost;
  execute format($q$
    update %1$s t set (%2$s) = (select %3$s from jsonb_populate_record(t, x.body) p)
    from (
      select e->'row' as body, jsonb_populate_record(null::%1$s, e->'row') as key
      from jsonb_array_elements($1) e where e->>'kind' = 'patch' and e->>'stream' <> all ($2)) x
    where %4$s and t.revision < (x.key).revision $q$,
    target, v_columns, v_values, v_match) using writes, lost;
end $$;

-- `command_bus_commit` for a unit that also has
--
--   tables   [{table, kind, stream, row}]   rows of the read tables above; see command_bus_put_rows
create function command_bus_commit_rows(unit jsonb) returns jsonb
language plpgsql as $$
declare
  v_answer jsonb;
  v_lost   text[];
  v_table  text;
  v_writes jsonb;
  v_domain text;
begin
  v_answer := command_bus_commit(unit - 'tables');
  v_lost := array(select jsonb_array_elements_text(v_answer->'lost'));
  for v_table in select distinct x->>'table' from jsonb_array_elements(unit->'tables') x order by 1 loop
    if v_table not in ('command_bus_workflow_template', 'command_bus_workflow_run', 'command_bus_workflow_run_file',
      'command_bus_credit_account', 'command_bus_credit_entry',
      'command_bus_pause', 'command_bus_schedule', 'command_bus_lane', 'command_bus_limit', 'command_bus_cause') then
      raise exception '% is not a read table', v_table using errcode = 'insufficient_privilege';
    end if;
    v_writes := (select jsonb_agg(x) from jsonb_array_elements(unit->'tables') x where x->>'table' = v_table);
    perform command_bus_put_rows(v_table::regclass, v_writes, v_lost);
    if v_table in ('command_bus_lane', 'command_bus_limit') then
      perform command_bus_check_lanes(v_writes);
      for v_domain in select distinct x->'row'->>'domain' from jsonb_array_elements(v_writes) x loop
        v_answer := jsonb_set(v_answer, '{shown}', coalesce(v_answer->'shown', '[]') || to_jsonb(command_bus_admit_lanes(v_domain)));
      end loop;
    end if;
  end loop;
  return v_answer;
end $$;

-- Finds the charges and refunds of a run.
create index command_bus_credit_entry_run on command_bus_credit_entry (run_id, at) where run_id is not null;
