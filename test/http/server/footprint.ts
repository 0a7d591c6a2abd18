import type { SharedApi } from '../../support/http.ts'

/** All that a send writes: rows of the log and of the read table, messages on queues. */
export const footprint = async ({ pool }: Pick<SharedApi, 'pool'>) => {
  const { rows } = await pool.query(
    `select (select count(*)::int from command_bus_event) as events,
            (select count(*)::int from command_bus_command) as rows,
            (select sum(queue_length)::int from pgmq.metrics_all()) as messages`,
  )
  return rows[0]
}
