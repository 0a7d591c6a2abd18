-- Lists of parked commands, those with most attempts first; few commands are parked.
create index command_bus_command_parked_attempts on command_bus_command (attempts desc, command_id desc, domain desc)
  where status = 'IN_TROUBLESHOOTING_QUEUE';
