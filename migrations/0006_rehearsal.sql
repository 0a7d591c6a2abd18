-- A rehearsal runs a handler in a transaction that is rolled back. It first inserts a row here, so that any commit fails. So
-- this table is always empty.
create table command_bus_rehearsal (
  id uuid not null,
  constraint command_bus_rehearsal_pkey primary key (id)
);

create function command_bus_refuse_commit() returns trigger language plpgsql as $$
begin
  -- the rehearsal itself checks deferred constraints before it rolls back
  if current_setting('commandbus.rehearsal', true) is distinct from 'checking' then
    raise exception 'a rehearsal is never committed' using errcode = 'CB410';
  end if;
  return null;
end $$;

create constraint trigger command_bus_rehearsal_never_commits
  after insert on command_bus_rehearsal deferrable initially deferred
  for each row execute function command_bus_refuse_commit();
