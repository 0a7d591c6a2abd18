-- What caused what: parents have their index already, and so have correlation ids.
create index command_bus_command_causation on command_bus_command (causation_id)
  where causation_id is not null;

-- When commands were parked, newest first: the troubleshooting queue as it was at an instant. Only parkings are in it.
create index command_bus_event_parked on command_bus_event ((meta->>'at') desc, stream desc)
  where type = 'CommandMovedToTroubleshooting';
