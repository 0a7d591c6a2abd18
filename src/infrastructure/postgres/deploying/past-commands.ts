import type { Pool } from 'pg'
import type { PastClass, PastCommand, PastCommands, PastFilter } from '../../../application/ports/deploying.ts'
import type { FollowUp } from '../../../application/ports/rehearsals.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { commandStream } from '../../../domain/command/names.ts'
import { commandCodec } from '../../codec/command-codec.ts'
import { domainIn, ofCommands } from '../log/command-streams.ts'
import { decodeRow, type EventRow } from '../log/event-store.ts'

const PAST = `
  c.domain = any ($1::text[]) and ($2::text[] is null or c.command_type = any ($2::text[]))
  and (c.status in ('COMPLETED', 'FAILED') and c.created_at >= $3::timestamptz
       or $4::boolean and c.status = 'IN_TROUBLESHOOTING_QUEUE')`

const IS_PARKED = `(c.status = 'IN_TROUBLESHOOTING_QUEUE')`

const valuesOf = ({ domains, commandTypes, since, withParked }: PastFilter): unknown[] => [
  domains,
  commandTypes ?? null,
  since,
  withParked,
]

/**
 * Past commands by the read tables and the events in this database, wherever the log is. `withSent`: what a handler sent in its
 * transaction is known by that transaction, where the log is here.
 */
export const createPastCommands = (pool: Pool, { withSent }: { readonly withSent: boolean }): PastCommands => ({
  classes: async filter => {
    const { rows } = await pool.query<PastClass>(
      `select c.domain, c.command_type as "commandType", ${IS_PARKED} as "isParked", count(*)::float8 as count
       from command_bus_command c where ${PAST} group by 1, 2, 3 order by 1, 2, 3`,
      valuesOf(filter),
    )
    return rows
  },

  newest: async (filter, classes) => {
    const wanted = classes.filter(({ take }) => take > 0)
    if (wanted.length === 0) return []
    const { rows } = await pool.query<PastCommand>(
      `select n.domain, n.command_type as "commandType", n.command_id as "commandId"
       from (select c.domain, c.command_type, c.command_id, c.created_at, ${IS_PARKED} as is_parked,
                    row_number() over (partition by c.domain, c.command_type, ${IS_PARKED} order by c.created_at desc, c.command_id) as place
             from command_bus_command c where ${PAST}) n
       join unnest($5::text[], $6::text[], $7::boolean[], $8::int[]) w (domain, command_type, is_parked, take)
         on w.domain = n.domain and w.command_type = n.command_type and w.is_parked = n.is_parked and n.place <= w.take
       order by n.created_at, n.command_id`,
      [
        ...valuesOf(filter),
        wanted.map(({ domain }) => domain),
        wanted.map(({ commandType }) => commandType),
        wanted.map(({ isParked }) => isParked),
        wanted.map(({ take }) => take),
      ],
    )
    return rows
  },

  histories: async commands => {
    const streams = commands.map(commandStream)
    const { rows } = await pool.query<EventRow>(
      `select e.stream, e.revision, e.id, e.type, e.data, e.meta from command_bus_event e
       where e.stream = any ($1::text[]) order by e.stream, e.revision`,
      [streams],
    )
    const events = new Map<string, CommandEvent[]>()
    for (const row of rows) {
      const { event, stream } = decodeRow(commandCodec, row)
      events.set(stream, [...(events.get(stream) ?? []), event])
    }
    const sent = withSent ? await readSent(pool, streams) : null
    return commands.map((command, i) => {
      const stream = streams[i] ?? ''
      return {
        command,
        events: events.get(stream) ?? [],
        ...(sent === null ? {} : { sent: sent.get(stream) ?? [] }),
      }
    })
  },
})

/** By the stream of the command whose completion was committed with them. */
const readSent = async (pool: Pool, streams: readonly string[]): Promise<ReadonlyMap<string, readonly FollowUp[]>> => {
  const { rows } = await pool.query<FollowUp & { readonly by: string }>(
    `select e.stream as by, ${domainIn('s.stream')} as domain, s.data->>'commandType' as "commandType", s.data->'data' as data
     from command_bus_event e join command_bus_event s on s.xid = e.xid
     where e.stream = any ($1::text[]) and e.type = 'CommandCompleted' and s.type = 'CommandSent'
       and ${ofCommands('s.stream')} and s.stream <> e.stream and not s.data ? 'adopted'
     order by e.stream, s.position`,
    [streams],
  )
  const sent = new Map<string, FollowUp[]>()
  for (const { by, ...followUp } of rows) sent.set(by, [...(sent.get(by) ?? []), followUp])
  return sent
}
