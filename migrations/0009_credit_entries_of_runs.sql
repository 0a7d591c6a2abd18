-- Finds the charges and refunds of a run.
create index command_bus_credit_entry_run on command_bus_credit_entry (run_id, at) where run_id is not null;
