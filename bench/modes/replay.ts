import { setTimeout as delay } from 'node:timers/promises'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import type { Recorded } from '../../src/domain/recorded.ts'
import type { CommandBus } from '../../src/index.ts'
import { loadCommand, loadDecider, loadHistory, loadLibrary } from '../build.ts'
import { type Mode, onDatabase, say } from '../mode.ts'
import { commandsOf } from '../options.ts'
import { replayTargets } from '../targets.ts'

interface ReplayFigures {
  /** Events folded into states a second, on one core. */
  readonly fold: number
  /** Events told as steps with state and difference a second, on one core. */
  readonly history: number
  /** Events a second of a rebuild of the read table, while commands are sent. */
  readonly rebuild: number
  readonly rebuiltEvents: number
  /** Commands sent meanwhile. */
  readonly sentMeanwhile: number
}

const STREAMS = 20_000
const FOLD_SECONDS = 2
const BATCH = 1_000
const data = { amount: 25, currency: 'EUR', card: 'tok_visa_4242', note: 'a payload of about a hundred bytes' }

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()
const worker = { actor: 'worker:a', msgId: '1' }
const error = { type: 'TRANSIENT', code: 'GATEWAY_TIMEOUT', message: 'the gateway did not answer' } as const
const sent: CommandEvent = {
  type: 'CommandSent',
  at: at(0),
  actor: 'shop',
  commandType: 'ChargeCard',
  data,
  correlationId: 'order-7',
  causationId: null,
  replyTo: 'shop__replies',
  tenantId: null,
  ownerId: null,
  parentCommandId: null,
  retryCount: 0,
  policy: { maxAttempts: 2, backoffSeconds: [10, 60, 300], jitter: 0, onExhausted: 'park' },
}
const received = (attempt: number, total: number): CommandEvent => ({
  ...{ ...worker, type: 'CommandReceived', at: at(total), attempt, total, leaseExpiresAt: at(30), lost: false },
})
const completed: CommandEvent = { ...worker, type: 'CommandCompleted', at: at(10), attempt: 1, result: { ok: true } }
const quick: readonly CommandEvent[] = [sent, received(1, 1), completed]
const hard: readonly CommandEvent[] = [
  sent,
  received(1, 1),
  { ...worker, type: 'CommandFailed', at: at(2), attempt: 1, error, retryAt: at(12) },
  received(2, 2),
  { ...worker, type: 'CommandMovedToTroubleshooting', at: at(13), attempt: 2, error, reason: 'EXHAUSTED' },
  {
    ...{ type: 'OperatorRetried', at: at(90), actor: 'jane', resetAttempts: true, attempts: 0 },
    ...{ archivedMsgId: '1', dataRevision: 0 },
  },
  received(1, 3),
  completed,
]

/** Three quick successes to one command that was retried, parked and retried by hand. */
const livesOf = (): readonly (readonly Recorded<CommandEvent>[])[] =>
  Array.from({ length: STREAMS }, (_, i) =>
    (i % 4 === 0 ? hard : quick).map((event, revision) => ({
      ...{ stream: `command-bench-${i}`, revision, id: '', event },
      context: {
        commandType: 'ChargeCard',
        correlationId: 'order-7',
        causationId: null,
        replyTo: null,
        tenantId: null,
      },
    })),
  )

/** Events a second, over and over for a while. */
const rateOf = (events: number, run: () => void): number => {
  for (let i = 0; i < 3; i++) run()
  const began = performance.now()
  let rounds = 0
  while (performance.now() - began < FOLD_SECONDS * 1000) {
    run()
    rounds++
  }
  return (rounds * events) / ((performance.now() - began) / 1000)
}

/** Sends a little at a time until it is told to stop. */
const keepSending = (bus: CommandBus) => {
  let [going, sent] = [true, 0]
  const loop = async () => {
    while (going) {
      await bus.sendBatch(
        'bench',
        Array.from({ length: 20 }, () => ({ commandType: 'ChargeCard', data })),
      )
      sent += 20
      await delay(20)
    }
  }
  const done = loop()
  return async () => {
    going = false
    await done
    return sent
  }
}

const finish = async (bus: CommandBus, commands: number): Promise<void> => {
  let handled = 0
  const worker = bus.worker({ domain: 'bench', concurrency: 50, handlers: { '*': () => void handled++ } })
  await worker.start()
  while (handled < commands) await delay(50)
  await worker.stop()
}

/** Fold and rebuild; `commands` are sent and worked on before the rebuild begins. */
const measureReplay = async (databaseUrl: string, commands: number): Promise<ReplayFigures> => {
  const lives = livesOf()
  const bare = lives.map(life => life.map(({ event }) => event))
  const [{ fold }, { command }, { historyOf }] = await Promise.all([loadDecider(), loadCommand(), loadHistory()])
  const events = lives.reduce((sum, life) => sum + life.length, 0)
  const foldRate = rateOf(events, () => {
    for (const life of bare) fold(command, life)
  })
  const historyRate = rateOf(events, () => {
    for (const life of lives) historyOf(life)
  })
  say(`fold ${Math.round(foldRate).toLocaleString('en-US')} events a second`)

  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl })
  try {
    for (let i = 0; i < commands; i += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, commands - i) }, () => ({ commandType: 'ChargeCard', data }))
      await bus.sendBatch('bench', batch)
    }
    await finish(bus, commands)
    const stop = keepSending(bus)
    const began = performance.now()
    const rebuilt = await bus.maintenance.rebuild()
    const seconds = (performance.now() - began) / 1000
    const sentMeanwhile = await stop()
    return {
      ...{ fold: foldRate, history: historyRate, rebuild: rebuilt.events / seconds },
      ...{ rebuiltEvents: rebuilt.events, sentMeanwhile },
    }
  } finally {
    await bus.close()
  }
}

const replayTable = ({ fold, history, rebuild, rebuiltEvents, sentMeanwhile }: ReplayFigures): string => {
  const shown = (rate: number): string => Math.round(rate).toLocaleString('en-US').padStart(12)
  return [
    `events a second`,
    `  fold      ${shown(fold)}   target ${replayTargets.fold.toLocaleString('en-US')}, one core`,
    `  history   ${shown(history)}   state and difference of every event`,
    `  rebuild   ${shown(rebuild)}   target ${replayTargets.rebuild.toLocaleString('en-US')}; ${rebuiltEvents.toLocaleString('en-US')} events, ${sentMeanwhile} commands sent meanwhile`,
  ].join('\n')
}

const replayJson = (figures: ReplayFigures): string =>
  JSON.stringify({
    results: (['fold', 'history', 'rebuild'] as const).map(work => ({
      ...{ work, variant: 'ours', rate: Number(figures[work].toFixed(1)) },
    })),
  })

const missedReplay = (figures: ReplayFigures): readonly string[] =>
  (['fold', 'rebuild'] as const)
    .filter(work => figures[work] < replayTargets[work])
    .map(work => `${work}: ${Math.round(figures[work])} a second is below ${replayTargets[work]}`)

/** A rebuild of less says nothing: it is over before the writers notice. */
const leastRebuilt = 50_000

export const replay: Mode = {
  usage: [
    'replay           instead of the rest: fold, history, and a rebuild of the read table while commands are sent',
  ],
  run: onDatabase(async ({ database, options, check }) => {
    const figures = await measureReplay(database.url, Math.max(commandsOf(options), leastRebuilt))
    check()
    return { table: replayTable(figures), json: replayJson(figures), misses: missedReplay(figures) }
  }),
}
