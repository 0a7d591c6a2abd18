-- Counts of what is parked, by cause, place and tenant, without reading the rows: parked commands lie scattered over the whole table.
-- The newest of a cause is found by its time.
create index command_bus_command_parked_causes
  on command_bus_command (domain, command_type, last_error_code, parked_at, command_id) include (last_error_frame, tenant_id, snoozed_until)
  where status = 'IN_TROUBLESHOOTING_QUEUE';
