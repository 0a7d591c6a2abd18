import { fillQueue } from '../growth/fill.ts'
import { type Mode, onDatabase } from '../mode.ts'
import { settle } from '../server.ts'
import { mostOfEmptyQueue } from '../targets.ts'
import { latencyResults, latencyTable, measureLatency, missedLatency, ourPing, SENDS } from './latency.ts'

const WAITING = 200_000
const EMPTY = 'empty queue'
const FULL = 'waiting retries'

export const backlog: Mode = {
  usage: [
    'backlog          from send to the start of the handler on a queue with 200,000 waiting retries, beside an empty one',
    '--commands <n>   of backlog: retries that wait',
  ],
  run: onDatabase(async ({ database: { url }, options, check }) => {
    const { commands = WAITING } = options
    const [empty, full] = [`bench_empty_${process.pid}`, `bench_waiting_${process.pid}`]
    await fillQueue(url, full, commands, check)
    const figures = await measureLatency(url, {
      sends: Math.min(SENDS, commands),
      check,
      settle: () => settle(url),
      pingers: [
        { variant: EMPTY, open: database => ourPing(database, empty) },
        { variant: FULL, open: database => ourPing(database, full) },
      ],
    })
    return {
      table: `${latencyTable(figures, EMPTY)}\n${commands.toLocaleString('en-US')} retries wait, target ${mostOfEmptyQueue} x`,
      json: JSON.stringify({ results: latencyResults(figures, 'backlog-latency') }),
      misses: missedLatency(figures, {
        ...{ variant: FULL, base: EMPTY },
        most: { p50: mostOfEmptyQueue, p99: mostOfEmptyQueue },
      }),
    }
  }),
}
