import type { Pool } from 'pg'
import type { ExplainQueries } from '../../../application/ports/reading/explain.ts'
import type { Sample } from '../../../domain/explain/index.ts'
import { streamOf } from '../log/command-streams.ts'
import { periodOf, readDealtWith, readFailed } from './failed.ts'
import { type KeyRow, readSucceeded } from './succeeded.ts'
import { spread } from './thin-out.ts'

/** Larger payloads, in bytes of JSON text, are not read: their commands are compared without them. */
const LARGEST_PAYLOAD = 16_384
/** What is larger than that when it is compressed is not even unpacked: it may be a hundred times as large. */
const LARGEST_PACKED = 4_096

/** Reads samples of failed and succeeded commands, by indexes, however many there are. */
export const createExplainQueries = (pool: Pool): ExplainQueries => ({
  samples: async (cause, most) => {
    const failed = await readFailed(pool, cause)
    const period = periodOf(failed)
    if (period === null) return { failed: [], succeeded: [], failedAt: [] }
    const [succeeded, dealtWith] = await Promise.all([
      readSucceeded(pool, cause, period, most),
      readDealtWith(pool, cause, period),
    ])
    const times = [...failed.map(({ at }) => at), ...dealtWith].sort((a, b) => a - b)
    const chosen = spread(failed, most)
    const samples = await readSamples(pool, cause.domain, [...chosen, ...succeeded])
    return {
      failedAt: spread(times, most),
      failed: samples.flatMap(({ place, sample }) => (place < chosen.length ? [sample] : [])),
      succeeded: samples.flatMap(({ place, sample }) => (place < chosen.length ? [] : [sample])),
    }
  },
})

interface SampleRow {
  readonly place: number
  readonly data: string | null
  readonly isRead: boolean | null
  readonly tenant: string | null
  readonly worker: string | null
  readonly build: string | null
}

/** The commands that are still there, each with the place of its key. */
const readSamples = async (
  pool: Pool,
  domain: string,
  keys: readonly KeyRow[],
): Promise<readonly { readonly place: number; readonly sample: Sample }[]> => {
  const { rows } = await pool.query<SampleRow>(
    `select k.place::int - 1 as place, case when s.is_read then s.data end as data, s.is_read as "isRead", c.tenant_id as tenant,
            substr(w.worker, 8) as worker, w.build
     from unnest($2::uuid[]) with ordinality k(command_id, place)
     join command_bus_command c on c.domain = $1 and c.command_id = k.command_id
     left join lateral (
       select p.data, octet_length(p.data) <= ${LARGEST_PAYLOAD} as is_read from (
         select case when pg_column_size(e.data) <= case when pg_column_compression(e.data) is null then ${LARGEST_PAYLOAD} else ${LARGEST_PACKED} end
           then (e.data->'data')::text end as data
         from command_bus_event e where e.stream = ${streamOf('c')} and e.revision = c.data_revision offset 0) p) s on true
     left join lateral (
       select e.meta->>'actor' as worker, e.data->>'build' as build from command_bus_event e
       where e.stream = ${streamOf('c')} and starts_with(e.meta->>'actor', 'worker:')
       order by e.revision desc limit 1) w on true
     order by k.place`,
    [domain, keys.map(({ commandId }) => commandId)],
  )
  return rows.map(({ place, data, isRead, tenant, worker, build }) => ({
    place,
    sample: {
      data: isRead === true ? (JSON.parse(data ?? 'null') as Sample['data']) : undefined,
      tenant,
      worker,
      build,
      at: new Date(keys[place]?.at ?? 0).toISOString(),
    },
  }))
}
