import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ActionRecord, ActionStore, Standing, TakenAction } from '../../src/application/ports/action-store.ts'
import { systemClock } from '../../src/application/ports/clock.ts'
import { silentLog } from '../../src/application/ports/log.ts'
import { stepAction } from '../../src/application/troubleshooting/run-action.ts'

afterEach(() => vi.restoreAllMocks())

const record = {
  id: 'a',
  details: { action: 'retry', resetAttempts: true },
  status: 'RUNNING',
  canary: null,
  campaign: { stopWhen: { failures: 1 } },
  stage: 1,
  startsAt: null,
  total: 1_000,
  succeeded: 0,
  failed: 0,
  skipped: 0,
} as unknown as ActionRecord

const quiet: Standing = {
  failures: 0,
  sameCause: 0,
  failuresOfStage: 0,
  sizeOfStage: 0,
  running: 0,
  left: 1_000,
  first: null,
}

/** A store of one action, of which looking at what became of its commands takes so long, by a clock of its own. */
const createSlowStore = (lookMs: number, { fails = false, lasts = (_: number) => Promise.resolve() } = {}) => {
  let [time, sent, looks] = [1_000, 0, 0]
  vi.spyOn(performance, 'now').mockImplementation(() => time)
  const taken = {
    action: record,
    doneTo: 0,
    next: async () => {
      sent++
      time += 20
      return []
    },
    mark: async () => {},
  } as unknown as TakenAction
  const store = {
    settle: async () => {
      looks++
      time += lookMs
      if (fails) throw new Error('the database is slow')
      await lasts(looks)
    },
    standing: async () => quiet,
    take: (_: string, __: object, work: (taken: TakenAction) => Promise<unknown>) => work(taken),
    due: async () => [],
    faultOf: () => null,
  } as unknown as ActionStore
  const { step, idle } = stepAction({
    store,
    transact: async () => [],
    clock: systemClock,
    log: silentLog,
    onFilled: () => {},
  })
  return { step: () => step(record), idle, counts: () => ({ sent, looks }) }
}

describe('while the last stage is sent', () => {
  test.each([0, 50, 400, 5_000])('O1: looking at its rule, which takes %i ms, leaves time to send', async lookMs => {
    const { step, counts } = createSlowStore(lookMs)
    for (let i = 0; i < 1_000; i++) await step()
    const { sent, looks } = counts()
    expect(sent * 20).toBeGreaterThanOrEqual(looks * lookMs * 0.9)
    expect(looks).toBeGreaterThan(1)
  })

  test('O1: sending goes on beside a look at its rule that lasts', async () => {
    let end = () => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const { step, idle, counts } = createSlowStore(1_000, { lasts: look => (look === 1 ? Promise.resolve() : ended) })
    for (let i = 0; i < 100; i++) await step()
    expect(counts()).toEqual({ sent: 100, looks: 2 })
    let isIdle = false
    const waited = idle().then(() => {
      isIdle = true
    })
    await step()
    expect(isIdle).toBe(false)
    end()
    await waited
  })

  test('O1: nothing is sent as long as its rule cannot be looked at', async () => {
    const { step, counts } = createSlowStore(10, { fails: true })
    for (let i = 0; i < 20; i++) await expect(step()).rejects.toThrow('the database is slow')
    expect(counts()).toEqual({ sent: 0, looks: 20 })
  })
})
