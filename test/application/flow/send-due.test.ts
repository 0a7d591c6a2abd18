import fc from 'fast-check'
import { isLeft } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { createSendDue } from '../../../src/application/flow/send-due.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { ScheduleProgress } from '../../../src/application/ports/reading/schedule-queries.ts'
import type { ScheduleFacts } from '../../../src/domain/flow/schedule/schedule.ts'
import { firstTimes } from '../../../src/domain/flow/schedule/times.ts'
import { createCronTimes } from '../../../src/infrastructure/shared/cron-times.ts'
import { derivedId } from '../../../src/infrastructure/shared/uuid-ids.ts'

const cronTimes = createCronTimes()
const start = Date.parse('2026-03-28T22:00:00.000Z')
const facts: ScheduleFacts = {
  domain: 'reports',
  commandType: 'Nightly',
  data: null,
  replyTo: null,
  priority: 'normal',
  key: null,
  tenantId: null,
  cron: '*/10 * * * *',
  timeZone: 'Europe/Berlin',
  everySeconds: null,
  everyFrom: new Date(start).toISOString(),
  missed: 'all',
  maxMissed: 1000,
  overlap: 'allow',
  incarnation: 1,
  countsAfter: new Date(start).toISOString(),
  createdAt: new Date(start).toISOString(),
  createdBy: 'jane',
  setAt: new Date(start).toISOString(),
  setBy: 'jane',
  pausedAt: null,
  pausedBy: null,
  pauseReason: null,
}

/** Where a process dies: never, before or after a send, or after it has noted what it sent. */
const deaths = ['none', 'before sending', 'after sending', 'after noting'] as const
type Death = (typeof deaths)[number]

class Died extends Error {}

/** Processes that take turns on one store; only what they store outlives them. */
const fleet = (settings: Partial<ScheduleFacts>) => {
  const schedule = { ...facts, ...settings }
  let progress: ScheduleProgress | null = null
  let death: Death = 'none'
  const commands = new Map<string, { time: string; ended: boolean; openBefore: number }>()
  const die = (when: Death): void => {
    if (death === when) throw new Died()
  }
  const sendDue = createSendDue({
    cronTimes,
    derivedId,
    atOnce: 7,
    log: silentLog,
    sendBatch: async (domain, sent) => {
      die('before sending')
      for (const { commandId = '', causationId = '' } of sent) {
        const openBefore = [...commands.values()].filter(({ ended }) => !ended).length
        const time = causationId.replace('nightly ', '')
        if (!commands.has(commandId)) commands.set(commandId, { time, ended: false, openBefore })
      }
      die('after sending')
      return sent.map(({ commandId = '' }) => ({ outcome: 'accepted' as const, domain, commandId }) as never)
    },
    work: {
      sent: async (_, ids) =>
        new Map(
          ids.flatMap(id => {
            const known = commands.get(id)
            return known === undefined ? [] : [[id, { ended: known.ended }] as const]
          }),
        ),
      save: async (_, saved) => {
        progress = saved
        die('after noting')
      },
    },
  })
  return {
    tick: async (now: number, dies: Death = 'none'): Promise<void> => {
      death = dies
      try {
        await sendDue({ name: 'nightly', status: 'ACTIVE', facts: schedule, progress }, now)
      } catch (error) {
        if (!(error instanceof Died)) throw error
      }
    },
    end: () => {
      for (const command of commands.values()) command.ended = true
    },
    sent: () => [...commands.values()],
    times: () => [...commands.values()].map(({ time }) => Date.parse(time)),
    progress: () => progress,
  }
}

const allTimes = (cron: string, until: number): readonly number[] => {
  const next = cronTimes(cron, facts.timeZone)
  if (isLeft(next)) throw new Error(next.left.fault)
  return firstTimes(next.right, start, 10_000, until)
}

const cron = fc.constantFrom('*/10 * * * *', '30 * * * *', '30 2 * * *', '15,45 1-3 * * *', '*/20 * * * * *')
const ticks = (longestMs: number) =>
  fc.array(
    fc.record({ wait: fc.integer({ min: 1, max: longestMs }), death: fc.constantFrom(...deaths), end: fc.boolean() }),
    { minLength: 1, maxLength: 25 },
  )

test('F10: over any ticks and deaths, each time of the cron is sent once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(cron, ticks(40 * 60_000), async (of, steps) => {
      const processes = fleet({ cron: of })
      let now = start
      for (const { wait, death } of steps) {
        now += of.split(' ').length === 6 ? Math.ceil(wait / 10) : wait
        await processes.tick(now, death)
      }
      await processes.tick(now)
      expect(processes.times()).toEqual(allTimes(of, now))
    }),
    { numRuns: 60 },
  )
})

test('F10: when some process is always there within a minute, each time is sent once by any rule', async () => {
  await fc.assert(
    fc.asyncProperty(
      cron,
      fc.constantFrom('skip' as const, 'once' as const),
      ticks(20_000),
      async (of, missed, steps) => {
        const processes = fleet({ cron: of, missed })
        let now = start
        for (const { wait, death } of steps) {
          now += wait
          await processes.tick(now, death)
          // another process takes over at once
          if (death !== 'none') await processes.tick(now)
        }
        expect(processes.times()).toEqual(allTimes(of, now))
      },
    ),
    { numRuns: 60 },
  )
})

test('F10: missed: once sends one command for each time that all were away, also when the process dies after it', async () => {
  const processes = fleet({ missed: 'once' })
  await processes.tick(start + 60 * 60_000, 'after sending')
  await processes.tick(start + 61 * 60_000)
  expect(processes.times()).toEqual([start + 60 * 60_000])
  await processes.tick(start + 125 * 60_000)
  expect(processes.times()).toEqual([start + 60 * 60_000, start + 120 * 60_000])
  expect(processes.progress()).toMatchObject({
    lastTime: new Date(start + 120 * 60_000).toISOString(),
    lastPassedOver: new Date(start + 110 * 60_000).toISOString(),
  })
})

test('F10: overlap: skip never sends while the command of a time is open, over any ticks and deaths', async () => {
  await fc.assert(
    fc.asyncProperty(
      cron,
      fc.constantFrom('skip' as const, 'once' as const, 'all' as const),
      ticks(20 * 60_000),
      async (of, missed, steps) => {
        const processes = fleet({ cron: of, missed, overlap: 'skip' })
        let now = start
        for (const { wait, death, end } of steps) {
          now += wait
          await processes.tick(now, death)
          if (end) processes.end()
        }
        expect(processes.sent().filter(({ openBefore }) => openBefore > 0)).toEqual([])
        expect(processes.times()).toEqual(allTimes(of, now).filter(time => processes.times().includes(time)))
      },
    ),
    { numRuns: 60 },
  )
})
