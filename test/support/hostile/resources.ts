import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'

const tables = `select count(*)::int as n from pg_class
  where relkind in ('r', 'p') and relnamespace::regnamespace::text in ('pgmq', 'public')`

export const countTables = async (pool: Pool): Promise<number> =>
  (await pool.query<{ n: number }>(tables)).rows[0]?.n ?? 0

/** Measures the most resources that a process and a database hold while it watches. */
export const watchResources = (pool: Pool, pid: number) => {
  const most = { connections: 0, tables: 0, queues: 0, files: 0 }
  const stopped = new AbortController()
  const look = async (): Promise<void> => {
    const { rows } = await pool.query(
      `select (select count(*)::int from pg_stat_activity where datname = current_database()) - $1::int as connections,
         (${tables}) as tables,
         (select count(*)::int from pgmq.meta) as queues`,
      [pool.totalCount],
    )
    const now = { ...rows[0], files: await openFiles(pid) }
    for (const name of Object.keys(most) as (keyof typeof most)[]) most[name] = Math.max(most[name], now[name])
  }
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await delay(500, undefined, { signal: stopped.signal }).catch(() => {})
    }
  })()
  return {
    stop: async () => {
      stopped.abort()
      await looking
      return { ...most, megabytes: await mostMegabytes(pid) }
    },
  }
}

/** The number of open files, sockets among them; 0 where the system does not say. */
export const openFiles = async (pid: number): Promise<number> =>
  (await readdir(`/proc/${pid}/fd`).catch(() => [])).length

/** The most resident memory since the process began; 0 where the system does not say. */
const mostMegabytes = async (pid: number): Promise<number> => {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return 0
  return Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(path, 'utf8'))?.[1] ?? 0) / 1024
}
