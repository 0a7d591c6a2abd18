import pg from 'pg'
import { loadLibrary } from '../build.ts'
import { type Mode, onDatabase } from '../mode.ts'
import { decimals } from '../report.ts'
import { settle as settleDatabase } from '../server.ts'
import { latencyTargets } from '../targets.ts'
import { payload, sleep } from '../work.ts'

export type LatencyFigures = {
  readonly variant: string
  readonly sends: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Sends one command and resolves once its handler has started, with the milliseconds in between. */
export type Ping = { readonly send: () => Promise<number>; readonly close: () => Promise<void> }

/** One that takes part: on a database, once opened, it can be pinged. */
export type Pinger = { readonly variant: string; readonly open: (url: string) => Promise<Ping> }

const BLOCK = 50
/** A block ends here, so that what polls every other second does not hold up the rest. */
const BLOCK_MS = 5_000
/** What takes longer than this is lost. */
const LOST_MS = 30_000

/** One waits for the next to be started; `started` is told when that was. */
export const rendezvous = () => {
  let waiting: (at: number) => void = () => {}
  const next = (): Promise<number> =>
    new Promise(resolve => {
      waiting = resolve
    })
  return { next, started: () => waiting(performance.now()) }
}

export const timed = async (next: () => Promise<number>, send: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  const started = next()
  await send()
  return (await started) - began
}

const orLost = async (variant: string, sent: Promise<number>): Promise<number> => {
  let timer: NodeJS.Timeout | undefined
  const lost = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${variant}: no handler started within ${LOST_MS} ms`)), LOST_MS)
  })
  return Promise.race([sent, lost]).finally(() => clearTimeout(timer))
}

/** By hand: a message and its notification in one statement; who listens reads, starts, and deletes. */
const rawPing = async (url: string): Promise<Ping> => {
  const queue = `bench_latency_${process.pid}`
  const [sender, reader] = [new pg.Client(url), new pg.Client(url)]
  await Promise.all([sender.connect(), reader.connect()])
  await sender.query('select pgmq.create($1)', [queue])
  const { next, started } = rendezvous()
  const read = async () => {
    const { rows } = await reader.query('select * from pgmq.read($1::text, 30, 1)', [queue])
    if (rows.length === 0) return
    started()
    await reader.query('select pgmq.delete($1::text, $2::bigint)', [queue, rows[0].msg_id])
  }
  reader.on('notification', () => void read())
  await reader.query(`listen ${queue}`)
  const text = `select pgmq.send($1::text, $2::jsonb), pg_notify($1::text, '')`
  return {
    send: () => timed(next, () => sender.query(text, [queue, payload(1)])),
    close: async () => {
      await reader.end()
      await sender.query('select pgmq.drop_queue($1)', [queue])
      await sender.end()
    },
  }
}

/** One bus sends, another one works, as two processes do. */
export const ourPing = async (url: string, domain = `bench_latency_${process.pid}`): Promise<Ping> => {
  const { createCommandBus } = await loadLibrary()
  const [sender, receiver] = [createCommandBus({ databaseUrl: url }), createCommandBus({ databaseUrl: url })]
  const { next, started } = rendezvous()
  const worker = receiver.worker({ domain, handlers: { Measure: async () => started() } })
  await worker.start()
  return {
    send: () => timed(next, () => sender.send(domain, 'Measure', payload(1))),
    close: async () => {
      await worker.stop()
      await sender.close()
      await receiver.close()
    },
  }
}

type Measurement = {
  readonly sends: number
  readonly check: () => void
  readonly settle: () => Promise<void>
  readonly pingers?: readonly Pinger[]
}

export const ownPingers: readonly Pinger[] = [
  { variant: 'raw', open: rawPing },
  { variant: 'ours', open: url => ourPing(url) },
]

/** From `send` to the start of the handler while nothing else goes on; all take turns. */
export const measureLatency = async (
  url: string,
  { sends, check, settle, pingers = ownPingers }: Measurement,
): Promise<readonly LatencyFigures[]> => {
  const opened: { readonly variant: string; readonly ping: Ping; readonly taken: number[] }[] = []
  try {
    for (const { variant, open } of pingers) opened.push({ variant, ping: await open(url), taken: [] })
    for (let sent = -BLOCK; sent < sends; sent += BLOCK) {
      // the first block is for warming up
      if (sent <= 0) await settle()
      for (const { variant, ping, taken } of opened) {
        check()
        const end = performance.now() + BLOCK_MS
        for (let i = 0; i < BLOCK && performance.now() < end; i++) {
          await sleep(20)
          const ms = await orLost(variant, ping.send())
          if (sent >= 0) taken.push(ms)
        }
      }
    }
  } finally {
    for (const { ping } of opened) await ping.close()
  }
  return opened.map(({ variant, taken }) => {
    const sorted = taken.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
    return { variant, sends: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
  })
}

const ratios = (figures: readonly LatencyFigures[], variant: string, base: string) => {
  const of = (name: string) => figures.find(figure => figure.variant === name)
  const ratio = (key: 'p50Ms' | 'p99Ms') => (of(variant)?.[key] ?? Number.NaN) / (of(base)?.[key] ?? Number.NaN)
  return { p50: ratio('p50Ms'), p99: ratio('p99Ms') }
}

const { p50: p50Target, p99: p99Target } = latencyTargets

export const latencyTable = (figures: readonly LatencyFigures[], base = 'raw'): string => {
  const width = Math.max(...figures.map(({ variant }) => variant.length))
  const milliseconds = (ms: number) => `${ms.toFixed(2).padStart(8)} ms`
  return figures
    .map(({ variant, sends, p50Ms, p99Ms }) => {
      const { p50, p99 } = ratios(figures, variant, base)
      const line = `latency  ${variant.padEnd(width)}  p50 ${milliseconds(p50Ms)}  p99 ${milliseconds(p99Ms)}`
      const compared = `${p50.toFixed(2)} x and ${p99.toFixed(2)} x ${base}, ${sends} sends`
      return `${line}  ${compared}${variant === 'ours' ? `, targets ${p50Target.reach} and ${p99Target.reach}, aim ${p50Target.aim} and ${p99Target.aim}` : ''}`
    })
    .join('\n')
}

export const latencyResults = (figures: readonly LatencyFigures[], work = 'latency') =>
  figures.map(({ variant, p50Ms, p99Ms }) => ({
    work,
    variant,
    p50Ms: decimals(p50Ms, 2),
    p99Ms: decimals(p99Ms, 2),
  }))

const mostOfRaw: Readonly<Record<'p50' | 'p99', number>> = { p50: p50Target.reach, p99: p99Target.reach }

/** One sentence for each target that is missed: how many times the latency of `base` it may be at most. */
export const missedLatency = (
  figures: readonly LatencyFigures[],
  { variant = 'ours', base = 'raw', most = mostOfRaw } = {},
): readonly string[] => {
  const reached = ratios(figures, variant, base)
  return (['p50', 'p99'] as const)
    .filter(key => !(reached[key] <= most[key]))
    .map(key => `${key} of the latency is ${reached[key].toFixed(2)} x ${base}, the target is ${most[key]}`)
}

/** Of a thousand, the slowest ten make the 99th percentile. */
export const SENDS = 1_000

export const latency: Mode = {
  usage: ['latency          from send to the start of the handler on an idle system, beside a notification by hand'],
  run: onDatabase(async ({ database: { url }, check }) => {
    const figures = await measureLatency(url, { sends: SENDS, check, settle: () => settleDatabase(url) })
    return {
      table: latencyTable(figures),
      json: JSON.stringify({ results: latencyResults(figures) }),
      misses: missedLatency(figures),
    }
  }),
}
