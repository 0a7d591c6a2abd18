import pg from 'pg'
import { loadLibrary } from './build.ts'
import { payload } from './work.ts'

export type LatencyFigures = {
  readonly variant: 'raw' | 'ours'
  readonly sends: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How much longer than by hand it may take. */
const targets = { p50: 1.2, p99: 1.5 } as const

/** Sends one command and resolves once its handler has started, with the milliseconds in between. */
type Ping = { readonly send: () => Promise<number>; readonly close: () => Promise<void> }

const BLOCK = 50
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** One waits for the next to be started; `started` is told when that was. */
const rendezvous = () => {
  let waiting: (at: number) => void = () => {}
  const next = (): Promise<number> =>
    new Promise(resolve => {
      waiting = resolve
    })
  return { next, started: () => waiting(performance.now()) }
}

const timed = async (next: () => Promise<number>, send: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  const started = next()
  await send()
  return (await started) - began
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
const ourPing = async (url: string): Promise<Ping> => {
  const { createCommandBus } = await loadLibrary()
  const [sender, receiver] = [createCommandBus({ databaseUrl: url }), createCommandBus({ databaseUrl: url })]
  const domain = `bench_latency_${process.pid}`
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

/** From `send` to the start of the handler while nothing else goes on; raw and ours take turns. */
export const measureLatency = async (
  url: string,
  { sends, check }: { readonly sends: number; readonly check: () => void },
): Promise<readonly LatencyFigures[]> => {
  const pings = { raw: await rawPing(url), ours: await ourPing(url) }
  const taken: { readonly [Variant in keyof typeof pings]: number[] } = { raw: [], ours: [] }
  try {
    for (let sent = -BLOCK; sent < sends; sent += BLOCK) {
      for (const variant of ['raw', 'ours'] as const) {
        check()
        for (let i = 0; i < BLOCK; i++) {
          await sleep(20)
          const ms = await pings[variant].send()
          // the first block is for warming up
          if (sent >= 0) taken[variant].push(ms)
        }
      }
    }
  } finally {
    await pings.raw.close()
    await pings.ours.close()
  }
  return (['raw', 'ours'] as const).map(variant => {
    const sorted = taken[variant].toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
    return { variant, sends: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
  })
}

const ratios = (figures: readonly LatencyFigures[]) => {
  const of = (variant: LatencyFigures['variant']) => figures.find(figure => figure.variant === variant)
  const [raw, ours] = [of('raw'), of('ours')]
  const ratio = (key: 'p50Ms' | 'p99Ms') => (ours?.[key] ?? Number.NaN) / (raw?.[key] ?? Number.NaN)
  return { p50: ratio('p50Ms'), p99: ratio('p99Ms') }
}

export const latencyTable = (figures: readonly LatencyFigures[]): string => {
  const { p50, p99 } = ratios(figures)
  return [
    ...figures.map(
      ({ variant, sends, p50Ms, p99Ms }) =>
        `${variant.padEnd(5)} p50 ${p50Ms.toFixed(2).padStart(7)} ms  p99 ${p99Ms.toFixed(2).padStart(7)} ms  of ${sends} sends`,
    ),
    `ratio p50 ${p50.toFixed(2).padStart(7)}     p99 ${p99.toFixed(2).padStart(7)}     targets ${targets.p50} and ${targets.p99}`,
  ].join('\n')
}

export const latencyJson = (figures: readonly LatencyFigures[]): string =>
  JSON.stringify({
    results: figures.map(({ variant, p50Ms, p99Ms }) => ({
      work: 'latency',
      variant,
      p50Ms: Number(p50Ms.toFixed(2)),
      p99Ms: Number(p99Ms.toFixed(2)),
    })),
  })

/** One sentence for each target that is missed. */
export const missedLatency = (figures: readonly LatencyFigures[]): readonly string[] => {
  const reached = ratios(figures)
  return (['p50', 'p99'] as const)
    .filter(key => !(reached[key] <= targets[key]))
    .map(key => `${key} of the latency is ${reached[key].toFixed(2)} x raw, the target is ${targets[key]}`)
}
