import type { Pool } from 'pg'
import type { BecameCounts, Standing } from '../../../application/ports/action-store.ts'
import { staying, transitions } from '../../../domain/command/transitions.ts'
import { isRefusal } from '../connection/errors.ts'
import { streamOf } from '../log/command-streams.ts'
import { retryTransient } from '../transactions/retry-transient.ts'

/** Events that end a retry, as a success or a failure, and what the command is then. */
const decisive = Object.entries(transitions).flatMap(([type, { to }]) =>
  to === 'PENDING' || to === 'IN_PROGRESS' || staying.some(name => name === type) ? [] : [{ type, to }],
)

const PIECE = 5_000
/** An action on more commands is looked at again the next time. */
const PIECES = 20

/**
 * Records how retried commands ended, from the log: a command may have gone on since. Each is recorded once, so that a later
 * look reads only those that still ran.
 */
export const settle = (pool: Pool, id: string): Promise<void> =>
  retryTransient(() => settleAll(pool, id)).catch(error => {
    // a role that only reads sees what others have recorded
    if (!isRefusal(error)) throw error
  })

/** The same for all retries, before events go that say it. */
export const settleEvery = async (pool: Pool): Promise<void> => {
  const { rows } = await pool.query<{ id: string }>(
    `select a.id from command_bus_action a where a.action = 'retry' and exists (
       select from command_bus_action_item i where i.action_id = a.id and i.outcome = 'SUCCEEDED' and i.became is null)`,
  )
  for (const { id } of rows) await retryTransient(() => settleAll(pool, id, Number.POSITIVE_INFINITY))
}

const settleAll = async (pool: Pool, id: string, pieces = PIECES): Promise<void> => {
  for (let piece = 0, from = 0; piece < pieces; piece++) {
    const { rows } = await pool.query<{ last: number | null; looked: number }>(
      `with running as (
         select i.ordinal, i.domain, i.command_id, i.revision from command_bus_action_item i
         -- those that were not sent yet are not read
         where i.action_id = $1::uuid and i.ordinal > $2::int and i.outcome = 'SUCCEEDED' and i.became is null
           and i.ordinal <= (select a.done_to from command_bus_action a where a.id = $1 and a.action = 'retry')
         order by i.ordinal limit ${PIECE}),
       ended as (
         select r.ordinal, d.status, e.code, e.recorded from running r
         cross join lateral (
           select e.type, e.data#>>'{error,code}' as code, e.recorded from command_bus_event e
           where e.stream = ${streamOf('r')} and e.revision > r.revision + 1 and e.type = any ($3::text[])
           order by e.revision limit 1) e
         join unnest($3::text[], $4::text[]) d(type, status) on d.type = e.type),
       settled as (
         update command_bus_action_item i set became = e.status, became_code = e.code,
           became_at = date_trunc('milliseconds', e.recorded)
         from ended e where i.action_id = $1 and i.ordinal = e.ordinal and i.became is null)
       select max(ordinal) as last, count(*)::int as looked from running`,
      [id, from, decisive.map(({ type }) => type), decisive.map(({ to }) => to)],
    )
    const [{ last, looked } = { last: null, looked: 0 }] = rows
    if (last === null || looked < PIECE) return
    from = last
  }
}

const DID_NOT = `i.became <> 'COMPLETED'`

export const standingOf = async (pool: Pool, id: string): Promise<Standing> => {
  const { rows } = await pool.query<Omit<Standing, 'first'> & FirstFailure>(
    `select s.*, f.command_id, f.became, f.became_code
     from (
       select count(*) filter (where ${DID_NOT})::int as "failures",
              count(*) filter (where ${DID_NOT} and i.became_code = i.error_code)::int as "sameCause",
              count(*) filter (where ${DID_NOT} and i.ordinal > a.stage_from)::int as "failuresOfStage",
              count(*) filter (where i.ordinal > a.stage_from)::int as "sizeOfStage",
              count(*) filter (where i.became is null and i.ordinal > a.stage_from)::int as running,
              coalesce(max(a.total - a.succeeded - a.failed - a.skipped), 0) as left
       from command_bus_action a join command_bus_action_item i on i.action_id = a.id and i.outcome = 'SUCCEEDED'
       where a.id = $1::uuid and i.ordinal <= a.done_to) s
     left join lateral (
       select i.command_id, i.became, i.became_code from command_bus_action_item i
       where i.action_id = $1 and ${DID_NOT} order by i.ordinal limit 1) f on s.failures > 0`,
    [id],
  )
  const { command_id, became, became_code, ...counts } = rows[0] as (typeof rows)[number]
  const why = became_code === null ? '' : ` (${became_code})`
  return { ...counts, first: command_id === null ? null : `command ${command_id} is ${became} after its retry${why}` }
}

interface FirstFailure {
  readonly command_id: string | null
  readonly became: string | null
  readonly became_code: string | null
}

export const becameOf = async (pool: Pool, id: string, at: string | undefined): Promise<BecameCounts> => {
  const { rows } = await pool.query<BecameCounts>(
    `select count(*) filter (where b = 'COMPLETED')::int as completed,
            count(*) filter (where b = 'IN_TROUBLESHOOTING_QUEUE')::int as "parkedAgain",
            count(*) filter (where b = 'FAILED')::int as failed,
            count(*) filter (where b = 'CANCELED')::int as canceled,
            count(*) filter (where b is null)::int as running
     from (
       select case when $2::timestamptz is null or became_at <= $2 then became end as b
       from command_bus_action_item where action_id = $1::uuid and outcome = 'SUCCEEDED') i`,
    [id, at ?? null],
  )
  return rows[0] as BecameCounts
}
