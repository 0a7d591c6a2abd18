import type { Pool } from 'pg'
import type { Page } from '../../../application/ports/reading/command-queries.ts'
import type { WorkflowQueries, WorkflowRun } from '../../../application/ports/reading/workflow-queries.ts'
import { jobId, jobName } from '../../../domain/workflow-run/names.ts'
import { decodeCursor, encodeCursor, invalidCursor } from './cursor.ts'
import {
  type EntryRow,
  entryColumns,
  entryOf,
  type FileRow,
  fileColumns,
  type RunRow,
  runColumns,
  runOf,
  type TemplateRow,
  templateColumns,
  templateOf,
} from './workflow-rows.ts'

export interface WorkflowQueriesOptions {
  readonly pool: Pool
  readonly domain: string
  /** Makes the id of a job's command from the job's name. */
  readonly commandId: (name: string) => string
}

const DEFAULT_LIMIT = 100
/** A page of runs ends when it holds this many files. */
const PAGE_FILES = 2_000

/** Queries on the read tables of runs, templates and credits. */
export const createWorkflowQueries = ({ pool, domain, commandId }: WorkflowQueriesOptions): WorkflowQueries => {
  const filesOf = async (runs: readonly RunRow[]): Promise<readonly WorkflowRun[]> => {
    if (runs.length === 0) return []
    const { rows } = await pool.query<FileRow>(
      `select ${fileColumns}
       from command_bus_workflow_run_file where run_id = any ($1::uuid[]) order by run_id, idx`,
      [runs.map(run => run.run_id)],
    )
    const files = new Map<string, FileRow[]>(runs.map(run => [run.run_id, []]))
    for (const row of rows) files.get(row.run_id)?.push(row)
    const open = new Set(
      runs.flatMap(run =>
        (files.get(run.run_id) ?? []).flatMap(file =>
          file.open ? [jobName(jobId(run.run_id, run.batch_mode ? null : file.idx), file.round)] : [],
        ),
      ),
    )
    const busy = await underWay([...open])
    return runs.map(run => runOf(run, files.get(run.run_id) ?? [], (id, round) => busy.has(jobName(id, round))))
  }

  /** Those of the jobs that a worker is processing now. */
  const underWay = async (names: readonly string[]): Promise<ReadonlySet<string>> => {
    if (names.length === 0) return new Set()
    const byId = new Map(names.map(name => [commandId(name), name]))
    const { rows } = await pool.query<{ command_id: string }>(
      `select command_id from command_bus_command
       where domain = $1::text and command_id = any ($2::uuid[]) and status = 'IN_PROGRESS'`,
      [domain, [...byId.keys()]],
    )
    return new Set(rows.map(row => byId.get(row.command_id) ?? ''))
  }

  return {
    template: async id => {
      const { rows } = await pool.query<TemplateRow>(
        'select * from command_bus_workflow_template where template_id = $1::uuid',
        [id],
      )
      return rows[0] === undefined ? null : templateOf(rows[0])
    },

    templates: async ({ tenantId, archived, limit = DEFAULT_LIMIT, cursor }) => {
      const after = cursor === undefined ? null : decodeCursor(cursor)
      const { rows } = await pool.query<TemplateRow>(
        `select ${templateColumns} from command_bus_workflow_template
         where ($1::text is null or tenant_id = $1::text or tenant_id is null)
           and ($2::boolean is null or (archived_at is not null) = $2::boolean)
           and ($3::timestamptz is null or (created_at, template_id) < ($3::timestamptz, $4::uuid))
         order by command_bus_workflow_template.created_at desc, template_id desc limit $5::int`,
        [tenantId ?? null, archived ?? null, after?.at ?? null, after?.commandId ?? null, limit + 1],
      )
      return pageOf(rows, limit, row => ({ at: row.created_at, id: row.template_id }), templateOf)
    },

    run: async id => {
      const { rows } = await pool.query<RunRow>(
        `select ${runColumns('r')} from command_bus_workflow_run r where r.run_id = $1::uuid`,
        [id],
      )
      return (await filesOf(rows))[0] ?? null
    },

    runs: async ({ tenantId, status, limit = DEFAULT_LIMIT, cursor }) => {
      const after = cursor === undefined ? null : decodeCursor(cursor)
      const { rows } = await pool.query<RunRow>(
        `select ${runColumns('r')} from command_bus_workflow_run r
         where ($1::text is null or tenant_id = $1::text) and ($2::text is null or status = $2::text)
           and ($3::timestamptz is null or (created_at, run_id) < ($3::timestamptz, $4::uuid))
         order by r.created_at desc, r.run_id desc limit $5::int`,
        [tenantId ?? null, status ?? null, after?.at ?? null, after?.commandId ?? null, limit + 1],
      )
      let files = 0
      const fitting = rows.findIndex((row, i) => {
        files += row.total_jobs
        return i > 0 && files > PAGE_FILES
      })
      const size = fitting < 0 ? limit : Math.min(limit, fitting)
      const page = pageOf(
        rows,
        size,
        row => ({ at: row.created_at, id: row.run_id }),
        row => row,
      )
      return { items: await filesOf(page.items), nextCursor: page.nextCursor }
    },

    now: async () => {
      const { rows } = await pool.query<{ now: number }>(
        'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
      )
      return rows[0]?.now ?? Number.NaN
    },

    unsettled: async (before, limit) => {
      const { rows } = await pool.query<{ run_id: string }>(
        `select r.run_id from command_bus_workflow_run r where r.unsettled and not exists (
           select from command_bus_event e where e.stream = ('workflow_run-' || r.run_id) collate "C"
             and e.revision = r.revision and e.recorded >= $1::timestamptz)
         order by r.updated_at limit $2::int`,
        [before, limit],
      )
      return rows.map(row => row.run_id)
    },

    balances: async (tenantId, month) => {
      const { rows } = await pool.query<{ pool: 'monthly' | 'purchased'; balance: string }>(
        `select pool, balance from command_bus_credit_account
         where tenant_id = $1::text and (pool, month) in (('monthly', $2::text), ('purchased', ''))`,
        [tenantId, month],
      )
      const of = (name: string): number => Number(rows.find(row => row.pool === name)?.balance ?? 0)
      return { monthly: of('monthly'), purchased: of('purchased') }
    },

    entries: async (tenantId, { limit = DEFAULT_LIMIT, cursor }) => {
      const { rows } = await pool.query<EntryRow>(
        `select ${entryColumns('e')} from command_bus_credit_entry e where tenant_id = $1::text and revision < $2::bigint
         order by e.revision desc limit $3::int`,
        [tenantId, cursor === undefined ? '9223372036854775807' : revisionOf(cursor), limit + 1],
      )
      const items = rows.slice(0, limit).map(entryOf)
      const last = items.at(-1)
      const nextCursor =
        rows.length > limit && last !== undefined
          ? encodeCursor({ at: last.at, domain: String(last.revision), commandId: NO_ID })
          : null
      return { items, nextCursor }
    },

    orphans: async (from, before, limit) => {
      const { rows } = await pool.query(
        `select c.tenant_id, c.run_id, c.charge_id, -(c.monthly + c.purchased) as amount from command_bus_credit_entry c
         where c.kind = 'CHARGE' and c.at >= coalesce($3::timestamptz, '-infinity')
           and not exists (
             select from command_bus_event l where l.stream = ('credits-' || c.tenant_id) collate "C"
               and l.revision = c.revision and l.recorded >= $1::timestamptz)
           and not exists (select from command_bus_credit_entry r where r.charge_id = c.charge_id and r.kind = 'REFUND')
           and not exists (
             select from command_bus_event e where e.stream = ('workflow_run-' || c.run_id) collate "C"
               and e.type in ('RunInitiated', 'RunResumed') and e.data#>>'{charge,chargeId}' = c.charge_id::text)
         order by c.at limit $2::int`,
        [before, limit, from],
      )
      return rows.map(row => ({
        tenantId: row.tenant_id,
        runId: row.run_id,
        chargeId: row.charge_id,
        amount: Number(row.amount),
      }))
    },
  }
}

const NO_ID = '00000000-0000-0000-0000-000000000000'

const revisionOf = (cursor: string): string => {
  const { domain } = decodeCursor(cursor)
  if (!/^\d{1,18}$/.test(domain)) throw invalidCursor()
  return domain
}

/** One row more than asked for says that there is another page. */
const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => { readonly at: string; readonly id: string },
  itemOf: (row: Row) => Item,
): Page<Item> => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  if (rows.length <= limit || last === undefined) return { items: shown.map(itemOf), nextCursor: null }
  const { at, id } = keyOf(last)
  return { items: shown.map(itemOf), nextCursor: encodeCursor({ at, domain: '', commandId: id }) }
}
