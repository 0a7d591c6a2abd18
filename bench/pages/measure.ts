import pg from 'pg'
import { median } from '../report.ts'
import type { Service } from '../service.ts'
import type { Call } from './calls.ts'

export type PageFigures = {
  readonly path: string
  readonly refusal: string | null
  readonly firstMs: number
  readonly medianMs: number
  /** Of the first call, with what the service did beside it; null where the server does not count statements. */
  readonly server: { readonly ms: number; readonly blocks: number } | null
}

const OTHERS = 5

/** Calls a page once, and then some more times. */
export const createPages = async (databaseUrl: string, { url, token }: Service) => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const isRefused = (error: unknown): false => {
    if (error instanceof pg.DatabaseError) return false
    throw error
  }
  const counts = await client
    .query('create extension if not exists pg_stat_statements; select from pg_stat_statements limit 1')
    .then(() => true, isRefused)

  const fetched = async ({ path, body }: Call) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const began = performance.now()
    const response = await fetch(url + path, { ...init, headers })
    const text = await response.text()
    return { ms: performance.now() - began, status: response.status, text }
  }

  const counted = async (): Promise<PageFigures['server']> => {
    if (!counts) return null
    const { rows } = await client.query<{ ms: number; blocks: number }>(
      `select coalesce(sum(total_exec_time + total_plan_time), 0)::float8 as ms,
         coalesce(sum(shared_blks_hit + shared_blks_read), 0)::float8 as blocks
       from pg_stat_statements where toplevel and dbid = (select oid from pg_database where datname = current_database())
         and query !~ 'pg_stat_statements'`,
    )
    return rows[0] ?? null
  }

  return {
    measure: async (call: Call): Promise<PageFigures> => {
      if (counts) await client.query('select pg_stat_statements_reset()')
      const first = await fetched(call)
      const server = await counted()
      const others: number[] = []
      for (let i = 0; i < OTHERS; i++) others.push((await fetched(call)).ms)
      const refusal = first.status < 400 ? null : `${first.status}: ${first.text.slice(0, 300)}`
      return { path: call.path, refusal, firstMs: first.ms, medianMs: median(others), server }
    },
    json: async (path: string) => JSON.parse((await fetched({ path })).text),
    close: () => client.end(),
  }
}
