-- Lists of one type of a domain find it in the index, instead of reading the row of every command of the domain. It is read in the same
-- order as the one it replaces.
-- builds: command_bus_command_domain_typed on command_bus_command (domain, created_at, command_id, command_type)
drop index command_bus_command_domain_newest;
