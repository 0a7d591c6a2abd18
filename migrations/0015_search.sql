-- What is found and kept beside the lists: replies that are owed, values of payloads by declared paths, and named filters.

-- Unfinished commands whose senders wait for a reply, oldest first. It stays small however long the history grows.
create index command_bus_command_owed on command_bus_command (created_at, command_id, domain) include (tenant_id, run_at)
  where reply_queue is not null and status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE');

-- Members of payloads that can be searched for: a path such as customer.id, of commands of one type.
create table command_bus_searchable (
  -- '*': in every domain
  domain       text collate "C" not null,
  command_type text collate "C" not null,
  path         text collate "C" not null,
  declared_by  text not null,
  declared_at  timestamptz not null default clock_timestamp(),
  -- null: the values of commands that were there before are not complete
  filled_at    timestamptz,
  constraint command_bus_searchable_pkey primary key (domain, command_type, path)
);

-- The values at declared paths of present payloads, written in the transaction of the event that has the payload. A null value
-- says that an edit has removed it, so that a filling that still reads the payload before does not bring it back.
create table command_bus_search_value (
  domain     text collate "C" not null,
  command_id uuid not null,
  path       text collate "C" not null,
  value      text collate "C",
  created_at timestamptz not null,
  constraint command_bus_search_value_pkey primary key (domain, command_id, path)
);
create index command_bus_search_value_newest on command_bus_search_value (value, path, created_at, command_id, domain)
  where value is not null;

-- The values of a payload at the paths that are declared for its command: texts, numbers and booleans, cut to 200 characters.
-- Null where it has none.
create function command_bus_search_of(of_domain text, of_type text, data jsonb) returns table (path text, value text)
language sql stable parallel safe as $$
  select s.path, max(case when jsonb_typeof(m.member) in ('string', 'number', 'boolean') then left(m.member #>> '{}', 200) end)
  from command_bus_searchable s cross join lateral (select data #> string_to_array(s.path, '.') as member) m
  where s.command_type = of_type and s.domain in (of_domain, '*')
  group by s.path $$;

-- Writes the values of commands that are sent, in the transaction that sends them.
create function command_bus_search_sent(domains text[], ids uuid[], sent jsonb[], meta jsonb[]) returns void
language sql as $$
  insert into command_bus_search_value (domain, command_id, path, value, created_at)
  select x.domain, x.id, f.path, f.value, (x.meta->>'at')::timestamptz
  from unnest(domains, ids, sent, meta) x(domain, id, sent, meta)
  cross join lateral command_bus_search_of(x.domain, x.sent->>'commandType', x.sent->'data') f
  where f.value is not null
  on conflict do nothing $$;

-- The same for a unit of command_bus_commit, where an operator's edit may replace the payload. `lost`: streams that are left out.
create function command_bus_search_unit(unit jsonb, lost text[]) returns void
language sql as $$
  insert into command_bus_search_value as v (domain, command_id, path, value, created_at)
  select c.domain, c.command_id, f.path, f.value, c.created_at
  from (
    select distinct on (e.stream) e.stream, e.revision, e.data->'data' as data
    from jsonb_to_recordset(unit->'events' || coalesce(unit->'more', '[]')) e(stream text, revision bigint, type text, data jsonb)
    where e.type in ('CommandSent', 'OperatorRetried') and e.data ? 'data' and e.stream <> all (lost)
    order by e.stream, e.revision desc) p
  join command_bus_command c on c.domain = substr(p.stream, 9, length(p.stream) - 45) collate "C" and c.command_id = right(p.stream, 36)::uuid
  cross join lateral command_bus_search_of(c.domain, c.command_type, p.data) f
  where f.value is not null or p.revision > 0
  on conflict on constraint command_bus_search_value_pkey do update set value = excluded.value $$;

-- Named filters of lists, of one person or of everybody of a tenant.
create table command_bus_view (
  -- '': of no tenant
  tenant_id  text collate "C" not null,
  -- '': shared
  subject    text collate "C" not null,
  name       text collate "C" not null,
  list       text collate "C" not null,
  filter     jsonb not null,
  updated_by text not null,
  updated_at timestamptz not null default clock_timestamp(),
  constraint command_bus_view_pkey primary key (tenant_id, subject, name),
  constraint command_bus_view_list check (list in ('commands', 'troubleshooting')),
  constraint command_bus_view_filter check (jsonb_typeof(filter) = 'object')
);

-- only for the functions that commit
revoke all on function command_bus_search_sent(text[], uuid[], jsonb[], jsonb[]) from public;
revoke all on function command_bus_search_unit(jsonb, text[]) from public;
