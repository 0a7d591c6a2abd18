import pg from 'pg'
import { createCopier } from '../growth/copies.ts'
import { verifyCopies } from '../growth/fill.ts'
import { say } from '../mode.ts'
import { type Kind, kinds } from './kinds.ts'
import { liveOnce } from './live.ts'

const DAY_MS = 86_400_000
/** The history is copied in so many parts, the oldest first, so that positions of the log and times rise together. */
const PARTS = 30

/** So many of each kind are copied first, and have to be as the bus writes them. All others are made by the same statements. */
const VERIFIED = 20
const COUNTED_AT_ONCE = 5_000

const whole = (count: number): string => count.toLocaleString('en-US')

/** What of a kind belongs to a part of the last `length` days. */
const within = ({ days: [oldest, newest], perThousand }: Kind, commands: number, from: number, to: number) => {
  const [begin, end] = [Math.min(oldest, from), Math.max(newest, to)]
  const share = Math.max(0, begin - end) / (oldest - newest)
  return {
    count: Math.round((perThousand * commands * share) / 1000),
    oldestMs: begin * DAY_MS,
    newestMs: end * DAY_MS,
  }
}

/** Rows in the order of their time, as they are written: the copies come kind by kind. */
const inOrderOfTime = [
  'create index bench_by_time on command_bus_command (created_at)',
  'cluster command_bus_command using bench_by_time',
  'drop index bench_by_time',
  'vacuum (analyze)',
]

/** Fills an empty database with the lives of so many commands of all kinds; says what it made. */
export const fillPages = async (url: string, commands: number, check: () => void): Promise<void> => {
  const originals = await liveOnce(url, kinds)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const copiers = []
    for (const original of originals) copiers.push(await createCopier(client, original))
    const length = Math.max(...kinds.map(({ days: [oldest] }) => oldest))
    const sample = { count: VERIFIED, oldestMs: length * DAY_MS, newestMs: (length - 0.01) * DAY_MS }
    for (const copy of copiers) await copy(sample)
    await verifyCopies(url)
    for (let part = 0; part < PARTS; part++) {
      check()
      const [from, to] = [length * (1 - part / PARTS), length * (1 - (part + 1) / PARTS)]
      for (const [i, kind] of kinds.entries()) {
        const span = within(kind, commands, from, to)
        if (span.count > 0) await copiers[i]?.(span)
      }
    }
    for (const statement of inOrderOfTime) await client.query(statement)
    await countFigures(client)
    await client.query('analyze')
    const { rows } = await client.query<{ status: string; n: number }>(
      'select status, count(*)::int as n from command_bus_command group by 1 order by 2 desc',
    )
    say(`filled: ${rows.map(({ status, n }) => `${whole(n)} ${status}`).join(', ')}`)
  } finally {
    await client.end()
  }
}

/** As the service does it while it runs. */
const countFigures = async (client: pg.Client): Promise<void> => {
  for (let more = true; more; ) {
    const { rows } = await client.query<{ more: boolean }>('select more from command_bus_count_figures($1::int)', [
      COUNTED_AT_ONCE,
    ])
    more = rows[0]?.more ?? false
  }
}
