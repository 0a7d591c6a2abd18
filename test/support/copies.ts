import type pg from 'pg'
import { commandStream } from '../../src/domain/command/names.ts'

/** Copies a command, its events and its row, `count` times, each with its own id, in no seal and on no queue. */
export const copyCommand = async (pool: pg.Pool, domain: string, commandId: string, count: number): Promise<void> => {
  const stream = commandStream({ domain, commandId })
  await pool.query(
    `with copy as materialized (select gen_random_uuid() as id from generate_series(1, $3::int)),
     events as (
       insert into command_bus_event (stream, revision, id, type, data, meta, msg_id, hash)
       select replace(e.stream, $2::text, copy.id::text), e.revision, gen_random_uuid(), e.type, e.data, e.meta, e.msg_id, e.hash
       from copy, command_bus_event e where e.stream = $1::text)
     insert into command_bus_command
     select r.* from copy, command_bus_command c,
       jsonb_populate_record(null::command_bus_command, to_jsonb(c) || jsonb_build_object('command_id', copy.id)) r
     where c.command_id = $2::uuid`,
    [stream, commandId, count],
  )
}
