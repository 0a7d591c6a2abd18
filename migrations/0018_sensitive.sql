-- Members of payloads and results that are hidden from callers who may not see them. Handlers and services declare them; what was once
-- declared stays until somebody removes it, also when its worker is gone.
create table command_bus_sensitive (
  domain       text collate "C" not null,
  command_type text collate "C" not null,
  -- names joined by dots; `*` is any name or item
  path         text collate "C" not null,
  declared_at  timestamptz not null default clock_timestamp(),
  constraint command_bus_sensitive_pkey primary key (domain, command_type, path)
);

-- Adds paths: [{of_domain, of_type, of_path}]. In one order, so that two processes that start do not wait for each other.
create function command_bus_declare_sensitive(declared jsonb) returns void
language plpgsql as $$
begin
  insert into command_bus_sensitive (domain, command_type, path)
  select x.of_domain, x.of_type, x.of_path from jsonb_to_recordset(declared) x(of_domain text, of_type text, of_path text)
  order by 1, 2, 3
  on conflict on constraint command_bus_sensitive_pkey do nothing;
end $$;

-- Those who only work may declare, but not remove.
alter function command_bus_declare_sensitive(jsonb) security definer;
revoke all on function command_bus_declare_sensitive(jsonb) from public;
