import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { type CommandBus, createCommandBus, type Worker, type WorkerOptions } from '../../src/index.ts'
import { until } from '../support/bus.ts'
import { createTestDatabase } from '../support/database.ts'
import { serve } from '../support/http.ts'
import type { useProgram } from '../support/servers/cli.ts'
import { timePasses } from '../support/watching/time-passes.ts'
import type { Stage } from './stage.ts'

/** The zone of all readers: that of this process. */
const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone
const MINUTE_MS = 60_000

/** A bus of its own, whose clock can be moved on, and everybody who reads its state. */
export interface Day {
  readonly bus: CommandBus
  readonly work: (options: WorkerOptions) => Promise<Worker>
  /** Sends commands that are tried twice. */
  readonly send: (domain: string, commandType: string, count: number, more?: object) => Promise<void>
  /** Resolves when no command is pending or runs. */
  readonly settled: () => Promise<void>
  readonly passes: (minutes: number) => Promise<void>
  /** An instant that grows older with the day. */
  readonly mark: () => () => number
  /**
   * Resolves once the sentence is this over HTTP, at the command line and on the overview: `{since}` stands for a time of day, which is
   * checked to be that of the mark.
   */
  readonly says: (sentence: string, since?: () => number) => Promise<void>
}

export const openDay = async (stage: Stage, program: ReturnType<typeof useProgram>): Promise<Day> => {
  const database = await createTestDatabase()
  const { pool } = database
  const bus = createCommandBus({
    databaseUrl: database.url,
    figures: { limits: { pollMs: 50, sampleMs: 200, standbyMs: 50 } },
  })
  await bus.ready()
  const served = await serve(bus, { console: stage.files })
  const runner = new AbortController()
  const running = bus.figures.count(runner.signal)
  const workers: Worker[] = []
  onTestFinished(async () => {
    runner.abort()
    await running
    await served.app.close()
    await Promise.all(workers.map(worker => worker.stop({ deadlineMs: 0 })))
    await bus.close()
    await database.drop()
  })

  const token = await served.token(['ADMIN'])
  const client = served.client(token)
  const { page } = await stage.stranger({ timezoneId: timeZone })
  await page.goto(`${served.url}/#token=${token}`)
  const env = { DATABASE_URL: database.url, TZ: timeZone }
  const overHttp = async () => (await client.getStatus({ query: { timeZone } })).sentence
  const read = async () => {
    const [http, { stdout }, seen] = await Promise.all([overHttp(), program.run(['status'], { env }), sentenceOn(page)])
    return { http, terminal: stdout.split('\n')[0], page: seen }
  }

  let passed = 0
  return {
    bus,
    work: async options => {
      const worker = bus.worker({ pollMs: 50, ...options })
      workers.push(worker)
      await worker.start()
      return worker
    },
    send: async (domain, commandType, count, more = {}) => {
      const one = { commandType, data: {}, maxAttempts: 2, backoffSeconds: [0.01], ...more }
      await bus.sendBatch(
        domain,
        Array.from({ length: count }, () => one),
      )
    },
    settled: async () => {
      await until(
        () => pool.query(`select from command_bus_command where status in ('PENDING', 'IN_PROGRESS') limit 1`),
        ({ rowCount }) => rowCount === 0,
      )
    },
    passes: async minutes => {
      passed += minutes
      await timePasses(pool, minutes)
    },
    mark: () => {
      const [at, before] = [Date.now(), passed]
      return () => at - (passed - before) * MINUTE_MS
    },
    says: async (sentence, since = Date.now) => {
      // the minute may have been over between the mark and what happened
      const expected = (): readonly string[] =>
        [0, MINUTE_MS].map(late => sentence.replace('{since}', clockOf(since() + late)))
      const isExpected = (one: string | undefined): boolean => expected().some(text => text === one)
      const same = ({ http, terminal, page: seen }: Awaited<ReturnType<typeof read>>): boolean =>
        http === terminal && http === seen && isExpected(http)
      const deadline = Date.now() + 20_000
      while (!isExpected(await overHttp()) && Date.now() < deadline) await delay(20)
      let seen = await read()
      while (!same(seen) && Date.now() < deadline) seen = await read()
      if (same(seen)) return
      const [wanted = ''] = expected()
      expect(seen).toEqual({ http: wanted, terminal: wanted, page: wanted })
    },
  }
}

const sentenceOn = async (page: Page): Promise<string> => {
  await page.reload()
  const line = page.getByRole('status', { name: 'State of the bus' })
  return (await line.textContent()) ?? ''
}

/** The time of day, with the date if that is another day. */
const clockOf = (at: number): string => {
  const day = (when: number): string =>
    new Date(when).toLocaleDateString('en', { timeZone, month: 'short', day: 'numeric' })
  const time = new Date(at).toLocaleTimeString('en', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return day(at) === day(Date.now()) ? time : `${day(at)}, ${time}`
}
