-- A tenant's own commands, newest first. Those without a tenant are not in it.
create index command_bus_command_tenant_newest on command_bus_command (tenant_id, created_at desc, command_id desc)
  where tenant_id is not null;

-- As before, but it never brings the end of a lease forward: a handler may have asked for more than a heartbeat gives.
create or replace function command_bus_extend(queue text, msg_ids bigint[], deliveries int[], lease interval)
returns setof bigint language plpgsql as $$
begin
  return query execute format($q$
    update pgmq.%1$I q set vt = greatest(q.vt, clock_timestamp() + $3)
    from (
      select m.msg_id from pgmq.%1$I m join unnest($1, $2) x(msg_id, delivery) on x.msg_id = m.msg_id and x.delivery = m.read_ct
      for update of m skip locked) held
    where q.msg_id = held.msg_id
    returning q.msg_id $q$, 'q_' || queue) using msg_ids, deliveries, lease;
end $$;
