import type { Pool } from 'pg'
import type { CauseFilter, ExplainQueries } from '../../../application/ports/reading/explain.ts'
import type { Sample } from '../../../domain/explain/index.ts'
import { streamOf } from '../log/command-streams.ts'
import { conditions } from '../reading/conditions.ts'
import { frameOf } from '../reading/open-commands.ts'
import { type KeyRow, MILLIS, readSucceeded } from './succeeded.ts'
import { spread } from './thin-out.ts'

/** The newest failed commands of a cause, from which the samples are taken. */
const MOST_FAILED = 20_000
/** Larger payloads are not read: their commands are compared without them. In bytes as they are stored. */
const LARGEST_PAYLOAD = 16_384
const MIN_MARGIN_MS = 600_000
const MAX_MARGIN_MS = 7 * 86_400_000

/** Reads samples of failed and succeeded commands, by indexes, however many there are. */
export const createExplainQueries = (pool: Pool): ExplainQueries => ({
  samples: async (cause, most) => {
    const failed = await readFailed(pool, cause)
    const [newest, oldest] = [failed[0], failed.at(-1)]
    if (newest === undefined || oldest === undefined) return { failed: [], succeeded: [] }
    const margin = Math.min(Math.max(newest.at - oldest.at, MIN_MARGIN_MS), MAX_MARGIN_MS)
    // before the oldest of them there are others that were not read
    const since = failed.length < MOST_FAILED ? oldest.at - margin : oldest.at
    const succeeded = await readSucceeded(pool, cause, { since, until: newest.at + margin }, most)
    const chosen = spread(failed, most)
    const samples = await readSamples(pool, cause.domain, [...chosen, ...succeeded])
    return {
      failed: samples.flatMap(({ place, sample }) => (place < chosen.length ? [sample] : [])),
      succeeded: samples.flatMap(({ place, sample }) => (place < chosen.length ? [] : [sample])),
    }
  },
})

/** Newest first. */
const readFailed = async (pool: Pool, cause: CauseFilter): Promise<readonly KeyRow[]> => {
  const filters = conditions()
  filters.add('c.last_error_code = ?', cause.errorCode)
  filters.add("c.status in ('IN_TROUBLESHOOTING_QUEUE', 'FAILED')")
  filters.add('c.domain = ?', cause.domain)
  filters.add('c.command_type = ?', cause.commandType)
  filters.add(`${frameOf('c')} = ?`, cause.frame)
  filters.tenant(cause.tenantId)
  const { rows } = await pool.query<KeyRow>(
    `select c.command_id as "commandId", ${MILLIS} as at from command_bus_command c where ${filters.where()}
     order by c.created_at desc, c.command_id desc limit ${MOST_FAILED}`,
    filters.values,
  )
  return rows
}

interface SampleRow {
  readonly place: number
  readonly data: Sample['data'] | null
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
    `select k.place::int - 1 as place, case when s.is_read then s.data->'data' end as data, s.is_read as "isRead", c.tenant_id as tenant,
            substr(w.worker, 8) as worker, w.build
     from unnest($2::uuid[]) with ordinality k(command_id, place)
     join command_bus_command c on c.domain = $1 and c.command_id = k.command_id
     left join lateral (
       select e.data, pg_column_size(e.data) <= ${LARGEST_PAYLOAD} as is_read from command_bus_event e
       where e.stream = ${streamOf('c')} and e.revision = c.data_revision) s on true
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
      data: isRead === true ? (data ?? null) : undefined,
      tenant,
      worker,
      build,
      at: new Date(keys[place]?.at ?? 0).toISOString(),
    },
  }))
}
