import type pg from 'pg'
import { type Mode, onDatabase, say } from '../mode.ts'
import { openCounting } from '../profile/measure.ts'
import { decimals } from '../report.ts'
import { query } from '../server.ts'
import { startService } from '../service.ts'
import { mostPageMs } from '../targets.ts'
import { sleep } from '../work.ts'
import { callsOf, type Description, type Known } from './calls.ts'
import { addExtras, asker, type Names } from './extras.ts'
import { fillPages } from './fill.ts'
import { COMMON_CODE, LARGE } from './kinds.ts'
import { createPages, type PageFigures } from './measure.ts'

const COMMANDS = 1_000_000
const UNSEALED = 10_000

const oneOf = async (client: pg.Client, sql: string, values: readonly string[] = []): Promise<string> => {
  const { rows } = await client.query<{ one: string }>(sql, [...values])
  const [row] = rows
  if (row === undefined) throw new Error(`nothing was filled for: ${sql}`)
  return row.one
}

const knownOf = (url: string, names: Names): Promise<Known> =>
  query(url, async client => {
    const commandId = await oneOf(
      client,
      `select command_id::text as one from command_bus_command
       where domain = $1 and last_error_code = $2 and status = 'IN_TROUBLESHOOTING_QUEUE' order by created_at limit 1`,
      [LARGE, COMMON_CODE],
    )
    const lane = await oneOf(client, 'select lane as one from command_bus_lane_entry limit 1')
    return { ...names, commandId, correlationId: commandId, lane, now: Date.now() }
  })

/** The service seals what is new when it starts, which is all of it here. */
const untilSealed = async (url: string, check: () => void): Promise<void> => {
  for (let sealed = false; !sealed; await sleep(500)) {
    check()
    const { rowCount } = await query(url, client =>
      client.query(
        `select from (select s.xid, s.position from command_bus_seal s order by s.number desc limit 1) s
         cross join lateral (select from command_bus_event e where (e.xid, e.position) > (s.xid, s.position)
           order by e.xid, e.position offset ${UNSEALED} limit 1) e`,
      ),
    )
    sealed = rowCount === 0
  }
}

/** Measures every page of the service on a database that is filled. */
export const measurePages = async (url: string, names: Names, check: () => void): Promise<readonly PageFigures[]> => {
  const known = await knownOf(url, names)
  const service = await startService(url, asker)
  const pages = await createPages(url, service)
  try {
    const calls = callsOf((await pages.json('/openapi.json')) as Description, known)
    await untilSealed(url, check)
    // the service itself is not what is measured: its first answers of all
    for (const path of ['/health/ready', '/api/v1/views']) await pages.json(path)
    const figures: PageFigures[] = []
    for (const call of calls) {
      check()
      figures.push(await pages.measure(call))
    }
    const refused = figures.filter(({ refusal }) => refusal !== null)
    if (refused.length === 0) return figures
    throw new Error(refused.map(({ path, refusal }) => `${path} was answered with ${refusal}`).join('\n'))
  } finally {
    await pages.close()
    await service.stop()
  }
}

const isLate = ({ firstMs, medianMs }: PageFigures): boolean => Math.max(firstMs, medianMs) > mostPageMs

export const pagesTable = (figures: readonly PageFigures[]): string =>
  [
    '  first   median   in PostgreSQL   blocks   (ms; the server and its blocks of the first call)',
    ...figures.map(page => {
      const { path, firstMs, medianMs, server } = page
      const [ms, blocks] = server === null ? ['', ''] : [decimals(server.ms, 1), server.blocks]
      const columns = [`${Math.round(firstMs)}`.padStart(7), `${Math.round(medianMs)}`.padStart(9)]
      return `${columns.join('')}${`${ms}`.padStart(16)}${`${blocks}`.padStart(9)}  ${isLate(page) ? '!' : ' '} ${path}`
    }),
    `${figures.length} pages, ${figures.filter(isLate).length} above ${mostPageMs} ms`,
  ].join('\n')

export const pages: Mode = {
  usage: [
    'pages            every page of the API on 1,000,000 commands, first and median of five; needs some 5 GB of disk',
    '--commands <n>   of pages: how many',
  ],
  run: onDatabase(
    async ({ database: { url }, options: { commands = COMMANDS }, check }) => {
      await fillPages(url, commands, check)
      const figures = await measurePages(url, await addExtras(url), check)
      const results = figures.map(({ path, firstMs, medianMs, server }) => ({
        ...{ work: 'page', variant: path, firstMs: decimals(firstMs, 1), medianMs: decimals(medianMs, 1) },
        ...(server === null ? {} : { serverMs: decimals(server.ms, 1), blocks: server.blocks }),
      }))
      const misses = figures.filter(isLate).map(({ path, firstMs, medianMs }) => {
        return `${path} takes ${Math.round(firstMs)} ms at first, then ${Math.round(medianMs)} ms; the target is ${mostPageMs} ms`
      })
      say(`${figures.length} pages`)
      return { table: pagesTable(figures), json: JSON.stringify({ results }), misses }
    },
    () => openCounting(say),
  ),
}
