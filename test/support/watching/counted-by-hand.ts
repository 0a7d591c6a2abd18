import type { Pool } from 'pg'
import { countFigures } from '../../../src/infrastructure/postgres/figures/count-figures.ts'
import { until } from '../bus.ts'

/** Counts of one type in one bucket, as the table has them. */
export interface CountedRow {
  readonly key: string
  readonly counts: Readonly<Record<string, number>>
  readonly waits: readonly number[]
  readonly runs: readonly number[]
}

interface Logged {
  readonly stream: string
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any event
  readonly data: any
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any event
  readonly meta: any
  readonly recorded: Date
}

const outcomeOf: Readonly<Record<string, string>> = {
  CommandSent: 'sent',
  CommandFailed: 'failed_attempts',
  CommandCompleted: 'completed',
  OperatorCompleted: 'completed',
  CommandRejectedByBusinessRule: 'failed',
  CommandExhausted: 'failed',
  CommandMovedToTroubleshooting: 'parked',
  OperatorEndedAttempt: 'parked',
  CommandCanceled: 'canceled',
  CommandExpired: 'canceled',
  OperatorCanceled: 'canceled',
}

const slotOf = (ms: number): number => (ms < 1 ? 1 : 2 + Math.floor((4 * Math.log(ms)) / Math.log(2) + 1e-9))

/** The figures of a whole log, counted in another way than the bus does: command by command, event by event. */
export const countByHand = async (pool: Pool): Promise<readonly CountedRow[]> => {
  const { rows } = await pool.query<Logged>(
    `select stream, type, data, meta, recorded from command_bus_event where stream like 'command-%' order by stream, revision`,
  )
  const found = new Map<string, { counts: Record<string, number>; waits: number[]; runs: number[] }>()
  const add = (
    event: Logged,
    work: (row: { counts: Record<string, number>; waits: number[]; runs: number[] }) => void,
  ) => {
    const domain = event.stream.slice('command-'.length, -37)
    for (const seconds of [60, 900, 7200]) {
      const at = Math.floor(event.recorded.getTime() / (seconds * 1000)) * seconds * 1000
      const key = [
        seconds,
        new Date(at).toISOString(),
        domain,
        event.meta.context.commandType,
        event.meta.context.tenantId !== undefined,
      ]
      const row = found.get(key.join(' ')) ?? { counts: {}, waits: [], runs: [] }
      found.set(key.join(' '), row)
      work(row)
    }
  }
  const count = (list: number[], ms: number): void => {
    const slot = slotOf(Math.max(0, ms)) - 1
    while (list.length <= slot) list.push(0)
    list[slot] = (list[slot] ?? 0) + 1
  }
  let [stream, due, begun]: [string, number, number | null] = ['', 0, null]
  for (const event of rows) {
    if (event.stream !== stream) [stream, due, begun] = [event.stream, 0, null]
    const at = Date.parse(event.meta.at)
    add(event, row => {
      const name = outcomeOf[event.type]
      if (name !== undefined) row.counts[name] = (row.counts[name] ?? 0) + 1
    })
    const begin = (when: number): void => {
      const waited = when - due
      begun = when
      add(event, row => {
        row.counts.begun = (row.counts.begun ?? 0) + 1
        count(row.waits, waited)
      })
    }
    const end = (): void => {
      const ran = begun === null ? null : at - begun
      begun = null
      if (ran !== null) add(event, row => count(row.runs, ran))
    }
    switch (event.type) {
      case 'CommandSent':
      case 'CommandRescheduled':
        due = Math.max(at, event.data.runAt === undefined ? 0 : Date.parse(event.data.runAt))
        break
      case 'CommandReceived':
        if (!event.data.lost) begin(at)
        due = Date.parse(event.data.leaseExpiresAt)
        break
      case 'CommandCompleted':
        if (event.data.receipt !== undefined) begin(Date.parse(event.data.receipt.at))
        end()
        break
      case 'CommandFailed':
        due = Date.parse(event.data.retryAt)
        end()
        break
      case 'CommandMovedToTroubleshooting':
      case 'CommandRejectedByBusinessRule':
      case 'CommandExhausted':
        end()
        break
      case 'OperatorRetried':
        due = at
    }
  }
  return sorted([...found].map(([key, row]) => ({ key, ...row })))
}

/** The figures of types as the tables have them. */
export const figuresOf = async (pool: Pool): Promise<readonly CountedRow[]> => {
  const { rows } = await pool.query('select * from command_bus_type_figure')
  return sorted(
    rows.map(row => ({
      key: [row.seconds, row.bucket.toISOString(), row.domain, row.command_type, row.of_tenant].join(' '),
      counts: Object.fromEntries(
        [...new Set([...Object.values(outcomeOf), 'begun'])]
          .map(name => [name, Number(row[name])] as const)
          .filter(([, n]) => n > 0),
      ),
      waits: row.waits,
      runs: row.runs,
    })),
  )
}

const sorted = (rows: readonly CountedRow[]): readonly CountedRow[] =>
  rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(row => ({ ...row, counts: sortedCounts(row.counts) }))

const sortedCounts = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** Counts until every event is counted: transactions of other tests on the server may hold some back for a moment. */
export const countAll = async (pool: Pool, batch = 1_000): Promise<void> => {
  const uncounted = `select from command_bus_event e join command_bus_checkpoint c on c.projection = 'figures'
    where (e.xid, e.position) > (split_part(c.position, '/', 1)::xid8, split_part(c.position, '/', 2)::bigint) limit 1`
  await until(
    async () => {
      while (await countFigures(pool, batch));
      return (await pool.query(uncounted)).rowCount
    },
    count => count === 0,
  )
}
