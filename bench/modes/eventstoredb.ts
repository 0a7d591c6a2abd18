import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { loadLibrary } from '../build.ts'
import { type Mode, onDatabase } from '../mode.ts'
import { decimals } from '../report.ts'
import { mostLagP99Ms } from '../targets.ts'
import { payload } from '../work.ts'

/** From the moment a command is due to be sent to the moment its row and its message are committed in PostgreSQL. */
interface LagFigures {
  readonly rate: number
  readonly seconds: number
  readonly events: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Whether it was a real server, or the test double. */
  readonly server: 'test double' | 'EVENTSTORE_URL'
}

interface LagWork {
  /** Events a second. */
  readonly rate: number
  readonly seconds: number
  /** Called all the time; throws to end the measurement. */
  readonly check: () => void
}

const TICK_MS = 2
const WARM_UP_MS = 2_000
const LATEST_MS = 60_000

/** At `EVENTSTORE_URL`, else the test double in a process of its own. */
const openServer = async (): Promise<{ url: string; server: LagFigures['server']; close: () => void }> => {
  const given = process.env.EVENTSTORE_URL
  if (given !== undefined && given !== '') return { url: given, server: 'EVENTSTORE_URL', close: () => {} }
  const child: ChildProcess = fork(fileURLToPath(new URL('./event-store-double.js', import.meta.url)))
  const [url] = await once(child, 'message')
  return { url: String(url), server: 'test double', close: () => child.disconnect() }
}

/** Sends at a fixed rate, whatever the answers take, so that a pause of ours is counted for all who had to wait. */
const measureLag = async (databaseUrl: string, { rate, seconds, check }: LagWork): Promise<LagFigures> => {
  const { createCommandBus } = await loadLibrary()
  const { url, server, close } = await openServer()
  const bus = createCommandBus({ databaseUrl, eventStoreUrl: url })
  const domain = `bench_${process.pid}`
  try {
    await bus.ready()
    const { follower } = bus
    if (follower === null) throw new Error('the log is not in EventStoreDB')
    const lags: number[] = []
    let late = 0

    const sendOne = async (index: number, due: number, measured: boolean): Promise<void> => {
      const { commandId } = await bus.send(domain, 'Measure', payload(index))
      const awaited = { stream: `command-${domain}-${commandId}`, revision: 0 }
      const { outcome } = await follower.waitFor(awaited, { timeoutMs: LATEST_MS, mayBeOld: false })
      if (outcome === 'late') late++
      if (measured) lags.push(performance.now() - due)
    }

    const run = async (ms: number, measured: boolean): Promise<void> => {
      const count = Math.round((ms / 1000) * rate)
      const begin = performance.now()
      const under: Promise<void>[] = []
      while (under.length < count) {
        check()
        const due = Math.min(count, Math.floor(((performance.now() - begin) / 1000) * rate))
        while (under.length < due) {
          under.push(sendOne(under.length, begin + (under.length / rate) * 1000, measured))
        }
        await new Promise(resolve => setTimeout(resolve, TICK_MS))
      }
      await Promise.all(under)
    }

    await run(WARM_UP_MS, false)
    await run(seconds * 1000, true)
    if (late > 0) throw new Error(`${late} commands were not dispatched within ${LATEST_MS / 1000} s`)
    await expectOneEach(databaseUrl, domain, Math.round((WARM_UP_MS / 1000 + seconds) * rate))
    const sorted = lags.sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { rate, seconds, events: lags.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), server }
  } finally {
    await bus.close()
    close()
  }
}

/** Every command has its row and its message, once. */
const expectOneEach = async (databaseUrl: string, domain: string, count: number): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ rows: number; messages: number; commands: number }>(
      `select (select count(*)::int from command_bus_command where domain = $1) as rows, count(*)::int as messages,
              count(distinct message->>'command_id')::int as commands
       from pgmq.${client.escapeIdentifier(`q_${domain}__commands`)}`,
      [domain],
    )
    const found = rows[0]
    if (found?.rows !== count || found.messages !== count || found.commands !== count) {
      throw new Error(`${count} commands were sent; found: ${JSON.stringify(found)}`)
    }
  } finally {
    await client.end()
  }
}

const lagTable = ({ rate, seconds, events, p50Ms, p99Ms, maxMs, server }: LagFigures): string =>
  [
    `eventstoredb (${server}): ${rate.toLocaleString('en-US')} events a second for ${seconds} s, ${events.toLocaleString('en-US')} commands, each with its row and its message`,
    '  from send to dispatched (append, feed, commit in PostgreSQL)',
    `  p50      ${decimals(p50Ms, 1)} ms`,
    `  p99      ${decimals(p99Ms, 1)} ms, target ${mostLagP99Ms} ms`,
    `  slowest  ${decimals(maxMs, 1)} ms`,
  ].join('\n')

const lagJson = ({ rate, p50Ms, p99Ms, maxMs, server }: LagFigures): string =>
  JSON.stringify({
    results: [
      {
        work: 'eventstoredb-lag',
        variant: server,
        rate,
        p50Ms: decimals(p50Ms, 2),
        p99Ms: decimals(p99Ms, 2),
        maxMs: decimals(maxMs, 2),
        targetP99Ms: mostLagP99Ms,
      },
    ],
  })

export const eventStoreDb: Mode = {
  usage: [
    'eventstoredb     instead of the rest: how far rows and messages are behind a log in EventStoreDB, at a fixed rate;',
    '                 EVENTSTORE_URL names a server (one for this alone), else the test double stands in',
    '--rate <n>       of eventstoredb: events a second, default 1,000',
  ],
  run: onDatabase(async ({ database, options: { rate, seconds }, check }) => {
    const figures = await measureLag(database.url, { rate, seconds, check })
    const { p99Ms } = figures
    return {
      table: lagTable(figures),
      json: lagJson(figures),
      misses: p99Ms > mostLagP99Ms ? [`p99 of the lag is ${decimals(p99Ms, 1)} ms, the target is ${mostLagP99Ms}`] : [],
    }
  }),
}
