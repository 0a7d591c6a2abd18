-- These functions get lists, and the planner reckons with ten entries where it does not know how many. For shorter lists it
-- therefore made a plan of its own at each call. That took as long as the rest of the call, and gave the same plan each time.
-- See docs/adr/0030.
alter function command_bus_read(text, double precision, integer, double precision) set plan_cache_mode = force_generic_plan;
alter function command_bus_commit_reports(text[], uuid[], bigint[], uuid[], text[], jsonb[], jsonb[], int[], uuid[], text[], jsonb[],
  jsonb[], bigint[], text[], int[], int[], timestamptz[], timestamptz[], timestamptz[], text[], text[], text[], text[], text[],
  timestamptz[], text[], bigint[], float8[], text[], jsonb[]) set plan_cache_mode = force_generic_plan;
alter function command_bus_pauses(text[]) set plan_cache_mode = force_generic_plan;
