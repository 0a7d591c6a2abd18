import type { Pool } from 'pg'
import type { KnownWorker, WorkerQueries } from '../../../application/ports/reading/worker-queries.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { MOST_COUNTED, type Unhandled } from '../../../domain/flow/unhandled.ts'
import { isRefusal } from '../connection/errors.ts'
import { instant } from '../connection/instant.ts'

const MOST = 1_000

interface Row extends Omit<KnownWorker, 'running'> {
  readonly running: readonly {
    readonly commandId: string
    readonly commandType: string
    readonly tenantId: string | null
    readonly attempt: number
    readonly ms: number
  }[]
}

interface UnhandledRow {
  readonly domain: string
  readonly command_type: string
  readonly has_worker: boolean
  readonly ready: number
  readonly since: string
  readonly age: number
}

/** Reads what workers have announced, and what nobody handles. */
export const createWorkerQueries = (pool: Pool): WorkerQueries => ({
  list: async ({ domain, tenantId }) => {
    const { rows } = await pool.query<Row>(
      `select w.worker_id as "workerId", w.domain, w.host, w.pid, w.build, w.types, w.slots, w.busy, w.running,
         case when not command_bus_is_heard(w.beat_at) then 'lost' when w.stopping then 'stopping' else 'live' end as status,
         ${instant('w.started_at')} as "startedAt", ${instant('w.beat_at')} as "beatAt"
       from (
         select w.* from command_bus_worker w where $1::text is null or w.domain = $1
         -- one that dies and starts again and again leaves many rows, which must not push the living out
         order by command_bus_is_heard(w.beat_at) desc, w.domain, w.started_at, w.instance_id limit ${MOST}) w
       order by w.domain, w.started_at, w.instance_id`,
      [domain ?? null],
    )
    return rows.map(row => viewOf(row, tenantId))
  },
  unhandled: ({ domain, tenantId }) => readUnhandled(pool, domain, tenantId),
  isHandled: async (domain, commandType) => {
    const { rows } = await pool.query<{ handled: boolean }>(
      'select command_bus_is_handled($1::text, $2::text) as handled',
      [domain, commandType],
    )
    return rows[0]?.handled === true
  },
})

const viewOf = ({ running, host, pid, ...worker }: Row, tenantId: string | undefined): KnownWorker => {
  // the machines of a service are no tenant's business
  const ofTenant = tenantId !== undefined && tenantId !== NO_TENANT
  return {
    ...worker,
    host: ofTenant ? null : host,
    pid: ofTenant ? null : pid,
    running: running
      .filter(one => tenantId === undefined || tenantId === (one.tenantId ?? NO_TENANT))
      .map(({ commandId, commandType, attempt, ms }) => ({
        commandId,
        commandType,
        attempt,
        since: new Date(Date.parse(worker.beatAt) - ms).toISOString(),
      })),
  }
}

export const readUnhandled = async (pool: Pool, domain?: string, tenantId?: string): Promise<readonly Unhandled[]> => {
  const { rows } = await pool.query<UnhandledRow>(
    `select u.domain, u.command_type, u.has_worker, u.ready, ${instant('u.oldest')} as since,
       extract(epoch from clock_timestamp() - u.oldest)::float8 as age
     from command_bus_unhandled($1::text, $2::text) u order by u.oldest`,
    [domain ?? null, tenantId ?? null],
  )
  const found = new Map<string, Unhandled>()
  // the oldest of each comes first
  for (const row of rows) {
    const commandType = row.has_worker ? row.command_type : null
    const key = JSON.stringify([row.domain, commandType])
    const { since = row.since, oldestSeconds = Math.max(0, Math.floor(row.age)), pending = 0 } = found.get(key) ?? {}
    const all = Math.min(MOST_COUNTED, pending + row.ready)
    found.set(key, { domain: row.domain, commandType, pending: all, since, oldestSeconds })
  }
  return [...found.values()]
}

/** Workers that are heard of, by domain, and what no worker is there for; nothing where the role may not read it. */
export const watchWorkers = async (
  pool: Pool,
): Promise<{ readonly live: ReadonlyMap<string, number>; readonly unhandled: readonly Unhandled[] }> => {
  try {
    const { rows } = await pool.query<{ domain: string; live: number }>(
      `select w.domain, count(*)::int as live from command_bus_worker w
       where not w.stopping and command_bus_is_heard(w.beat_at) group by w.domain order by w.domain`,
    )
    return {
      live: new Map(rows.map(({ domain, live }) => [domain, live])),
      unhandled: await readUnhandled(pool),
    }
  } catch (error) {
    if (isRefusal(error)) return { live: new Map(), unhandled: [] }
    throw error
  }
}
