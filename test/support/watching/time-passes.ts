import type { Pool } from 'pg'

/**
 * Makes everything in the database so many minutes older, as if that time had passed: commands, messages, the log, and samples of queues.
 * Figures are counted anew from the log. Workers stay: they announce themselves again.
 */
export const timePasses = async (pool: Pool, minutes: number): Promise<void> => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    // the log refuses changes
    await client.query('set local session_replication_role = replica')
    await client.query(`delete from command_bus_checkpoint where projection = 'figures'`)
    await client.query('delete from command_bus_type_figure')
    await client.query('delete from command_bus_error_figure')
    // a shorter bucket may begin at any minute
    await client.query('delete from command_bus_queue_sample where seconds > 60')
    await client.query(`
      do $$
      declare
        v_update text;
      begin
        for v_update in
          select format('update %I.%I set %s', c.table_schema, c.table_name,
            string_agg(format('%1$I = %1$I - interval ''${minutes} minutes''', c.column_name), ', '))
          from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
          where t.table_type = 'BASE TABLE' and c.data_type = 'timestamp with time zone' and c.is_generated = 'NEVER'
            and (c.table_schema = 'public' and c.table_name like 'command\\_bus\\_%' and c.table_name <> 'command_bus_worker'
              or c.table_schema = 'pgmq' and c.table_name ~ '^[aq]_')
          group by c.table_schema, c.table_name
        loop
          execute v_update;
        end loop;
      end $$`)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}
