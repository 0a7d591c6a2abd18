import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Pool } from 'pg'
import { afterEach } from 'vitest'
import { compiledSource } from '../servers/compiled.ts'

const script = fileURLToPath(new URL('../../bus/lanes/lanes-child.mjs', import.meta.url))
const children = new Set<ChildProcess>()

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

export interface LaneWorker {
  /** Its worker reads. */
  readonly started: Promise<unknown>
  readonly kill: () => Promise<void>
}

/** Starts a process with a worker of domain `jobs`, which notes in table `ran` what it runs. */
export const startLaneWorker = (
  url: string,
  options: { readonly concurrency: number; readonly leaseSeconds: number; readonly handlerMs: number },
): LaneWorker => {
  const child = spawn(process.execPath, [script, compiledSource(), url, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const gone = once(child, 'exit')
  return {
    started: Promise.race([once(child.stdout, 'data'), gone]),
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      children.delete(child)
    },
  }
}

export interface Run {
  readonly lane: string
  readonly n: number
  readonly began: number
  /** Null: its process was killed. */
  readonly ended: number | null
}

export const makeLedger = (pool: Pool) =>
  pool.query(
    'create table ran (id bigint generated always as identity primary key, lane text not null, n int not null, began timestamptz not null default clock_timestamp(), ended timestamptz)',
  )

/** All runs in the order in which they began, by the clock of the database. */
export const readLedger = async (pool: Pool): Promise<readonly Run[]> =>
  (
    await pool.query(
      'select lane, n, extract(epoch from began)::float8 * 1000 as began, extract(epoch from ended)::float8 * 1000 as ended from ran order by began, id',
    )
  ).rows

/** How many ran at once, at most. */
export const mostAtOnce = (runs: readonly Run[]): number => {
  const moves = runs.flatMap(({ began, ended }) => [
    { at: began, by: 1 },
    { at: ended ?? began, by: -1 },
  ])
  moves.sort((a, b) => a.at - b.at || a.by - b.by)
  let now = 0
  return moves.reduce((most, { by }) => {
    now += by
    return Math.max(most, now)
  }, 0)
}
