import fc from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { CreditsEvent } from '../../../src/domain/credits/events.ts'
import { credits } from '../../../src/domain/credits/index.ts'
import type { CreditsIntent } from '../../../src/domain/credits/intents.ts'
import { signs } from '../../../src/domain/credits/transitions.ts'
import { fold } from '../../../src/domain/decider.ts'
import type { FileOutcome, RunEvent } from '../../../src/domain/workflow-run/events.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import type { RunIntent } from '../../../src/domain/workflow-run/intents.ts'
import { planRetry } from '../../../src/domain/workflow-run/retry.ts'
import { costOf, countFiles, isOpen } from '../../../src/domain/workflow-run/state.ts'
import { isActive } from '../../../src/domain/workflow-run/status.ts'
import { isLegal } from '../../../src/domain/workflow-run/transitions.ts'
import { initiate } from '../../support/lives/workflow-life.ts'

const outcomes: readonly FileOutcome[] = ['completed', 'failed', 'error', 'interrupted', 'cancelled']

type Op =
  | { readonly op: 'grant'; readonly pool: 'monthly' | 'purchased'; readonly amount: number }
  | {
      readonly op: 'start'
      readonly files: number
      readonly price: number
      readonly test: boolean
      readonly lost: boolean
    }
  | {
      readonly op: 'results'
      readonly run: number
      readonly back: number
      readonly of: readonly (readonly [number, FileOutcome])[]
      /** How all other files ended; null: they go on. */
      readonly rest: FileOutcome | null
    }
  | { readonly op: 'retry'; readonly run: number; readonly lost: boolean }
  | { readonly op: 'cancel' | 'undispatched' | 'settle' | 'sweep'; readonly run: number }
  | { readonly op: 'month' }

const run = fc.nat(3)
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constant('grant' as const),
    pool: fc.constantFrom('monthly' as const, 'purchased' as const),
    amount: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    op: fc.constant('start' as const),
    files: fc.integer({ min: 1, max: 5 }),
    price: fc.nat(3),
    test: fc.boolean(),
    lost: fc.boolean(),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('results' as const),
      run,
      back: fc.nat(1),
      of: fc.array(fc.tuple(fc.nat(5), fc.constantFrom(...outcomes)), { maxLength: 6 }),
      rest: fc.option(fc.constantFrom(...outcomes)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('retry' as const), run, lost: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('cancel' as const, 'undispatched' as const, 'settle' as const, 'sweep' as const),
      run,
    }),
  },
  fc.constant({ op: 'month' as const }),
)

/** Plays operations against the two aggregates, as the use cases do, with crashes between charge and run. */
const play = (ops: readonly Op[]) => {
  const ledger: CreditsEvent[] = []
  const runs: RunEvent[][] = []
  const orphans: { readonly chargeId: string; readonly run: number; readonly amount: number }[] = []
  let month = 1
  let count = 0
  const by = () => ({ at: `2026-${String(month).padStart(2, '0')}-15T00:00:00.000Z`, actor: 'x' })
  const account = (intent: CreditsIntent): readonly CreditsEvent[] | null => {
    const decided = credits.decide(intent, fold(credits, ledger))
    if (!isRight(decided)) return null
    ledger.push(...decided.right)
    return decided.right
  }
  const onRun = (i: number, intent: RunIntent): void => {
    const events = runs[i]
    if (events === undefined) return
    const before = fold(workflowRun, events)
    const decided = workflowRun.decide(intent, before)
    if (!isRight(decided)) return
    let state = before
    for (const event of decided.right) {
      const next = workflowRun.evolve(state, event)
      expect(isLegal(event.type, state.status, next.status)).toBe(true)
      state = next
    }
    events.push(...decided.right)
    const again = workflowRun.decide(intent, state)
    if (decided.right.length > 0 && isRight(again)) expect(again.right).toEqual([])
  }
  /** Null: it cannot be paid. */
  const pay = (chargeId: string, i: number, amount: number) => {
    if (amount === 0) return { charge: null }
    const events = account({ ...by(), type: 'Charge', chargeId, runId: `run ${i}`, amount })
    const [charged] = events ?? []
    return charged?.type === 'CreditsCharged' ? { charge: { chargeId, taken: charged.taken } } : null
  }
  for (const one of ops) {
    const i = 'run' in one && runs.length > 0 ? one.run % runs.length : 0
    const state = fold(workflowRun, runs[i] ?? [])
    switch (one.op) {
      case 'month':
        month = Math.min(12, month + 1)
        break
      case 'grant':
        account({ ...by(), type: 'Grant', grantId: `g${count++}`, pool: one.pool, amount: one.amount, reason: 'x' })
        break
      case 'start': {
        const id = `c${count++}`
        const amount = one.test ? 0 : one.files * one.price
        const paid = pay(id, runs.length, amount)
        if (paid === null) break
        runs.push([])
        if (one.lost && paid.charge !== null) orphans.push({ chargeId: id, run: runs.length - 1, amount })
        else
          onRun(runs.length - 1, {
            ...initiate(one.files, { creditsPerRun: one.price, testRun: one.test, ...paid }),
            ...by(),
          })
        break
      }
      case 'results':
        if (state.status === 'NONE') break
        onRun(i, {
          ...by(),
          type: 'NoteResults',
          round: state.round - one.back,
          results: [...one.of, ...state.files.map((_, index) => [index, one.rest] as const)].flatMap(
            ([index, outcome]) => (outcome === null ? [] : [{ index, outcome, errorCode: null, errorMessage: null }]),
          ),
        })
        break
      case 'retry': {
        const plan = planRetry(state)
        if (!isRight(plan)) break
        const id = `c${count++}`
        const paid = pay(id, i, plan.right.credits)
        if (paid === null) break
        if (one.lost && paid.charge !== null) orphans.push({ chargeId: id, run: i, amount: plan.right.credits })
        else onRun(i, { ...by(), type: 'RetryFailed', retryId: id, ...paid })
        break
      }
      case 'cancel':
        onRun(i, { ...by(), type: 'Cancel', reason: null })
        break
      case 'undispatched':
        if (state.status !== 'NONE')
          onRun(i, { ...by(), type: 'FailDispatch', round: state.round, code: 'X', message: 'x' })
        break
      case 'settle': {
        if (state.status === 'NONE') break
        const returned = state.owed.map(({ chargeId, amount, reason }) => {
          const [event] = account({ ...by(), type: 'Refund', chargeId, amount, reason }) ?? []
          if (event?.type !== 'CreditsRefunded') throw new Error('what is owed can be given back')
          return { chargeId, returned: event.returned }
        })
        onRun(i, { ...by(), type: 'NoteRefund', returned })
        break
      }
      case 'sweep':
        for (const { chargeId, run: of, amount } of orphans.splice(0)) {
          onRun(of, { ...by(), type: 'AbandonCharge', chargeId })
          account({ ...by(), type: 'Refund', chargeId, amount, reason: 'orphan' })
        }
    }
  }
  return { ledger, runs, orphans }
}

const forEveryHistory = (check: (history: ReturnType<typeof play>) => void, seed?: number): void => {
  fc.assert(
    fc.property(fc.array(op, { minLength: 1, maxLength: 40, size: 'max' }), ops => check(play(ops))),
    { numRuns: 300, ...(seed === undefined ? {} : { seed }) },
  )
}

test('C5: balances are never negative, and the sum of the ledger is the balance, pool by pool and month by month', () => {
  forEveryHistory(({ ledger }) => {
    const sums = new Map<string, number>()
    const add = (key: string, by: number) => sums.set(key, (sums.get(key) ?? 0) + by)
    for (const [i, event] of ledger.entries()) {
      const { purchased, months } = fold(credits, ledger.slice(0, i + 1))
      expect(Math.min(purchased, ...Object.values(months))).toBeGreaterThanOrEqual(0)
      const sign = signs[event.type]
      if (event.type === 'CreditsGranted')
        add(event.pool === 'monthly' ? event.left.month : 'purchased', sign * event.amount)
      else {
        const moved = event.type === 'CreditsCharged' ? event.taken : event.returned
        add(moved.month, sign * moved.monthly)
        add('purchased', sign * moved.purchased)
      }
    }
    const { purchased, months } = fold(credits, ledger)
    expect(sums.get('purchased') ?? 0).toBe(purchased)
    for (const [month, left] of Object.entries(months)) expect(sums.get(month) ?? 0).toBe(left)
  })
})

test('C14: a charge is refunded at most once, and never more than was taken', () => {
  forEveryHistory(({ ledger }) => {
    const taken = new Map<string, number>()
    for (const event of ledger) {
      if (event.type === 'CreditsCharged') taken.set(event.chargeId, event.taken.monthly + event.taken.purchased)
      if (event.type !== 'CreditsRefunded') continue
      const { monthly, purchased } = event.returned
      expect(monthly + purchased).toBeLessThanOrEqual(taken.get(event.chargeId) ?? -1)
      taken.delete(event.chargeId)
    }
  })
})

test("C5: the ledger's charges equal what runs have cost, what they owe and what no run has claimed", () => {
  forEveryHistory(({ ledger, runs, orphans }) => {
    const out = ledger.reduce((sum, event) => {
      if (event.type === 'CreditsGranted') return sum
      const moved = event.type === 'CreditsCharged' ? event.taken : event.returned
      return sum - signs[event.type] * (moved.monthly + moved.purchased)
    }, 0)
    const costs = runs.reduce((sum, events) => {
      const state = fold(workflowRun, events)
      if (state.status === 'NONE') return sum
      const { monthly, purchased } = costOf(state.charges)
      return sum + monthly + purchased
    }, 0)
    expect(costs + orphans.reduce((sum, { amount }) => sum + amount, 0)).toBe(out)
  })
})

test('C8: completed, failed, error and open files add up to all files, and a run without open files is over', () => {
  forEveryHistory(({ runs }) => {
    for (const events of runs) {
      let first = true
      for (const i of events.keys()) {
        const state = fold(workflowRun, events.slice(0, i + 1))
        if (state.status === 'NONE') continue
        const { completed, failed, error, pending } = countFiles(state.files)
        expect(completed + failed + error + pending).toBe(state.files.length)
        expect(state.completedJobs + state.failedJobs).toBeLessThanOrEqual(state.roundJobs)
        // the last result and the end are appended together
        const ending = events[i + 1]?.type === 'RunEnded'
        if (!isOpen(state) && !ending) expect(isActive(state.status)).toBe(false)
        if (isOpen(state) && !first) expect(['RUNNING', 'QUEUED', 'CANCELLED']).toContain(state.status)
        first = false
      }
    }
  })
})

test('the random histories reach every event', () => {
  const seen = new Set<string>()
  forEveryHistory(({ ledger, runs }) => {
    for (const { type } of [...ledger, ...runs.flat()]) seen.add(type)
    // not every seed reaches all of them
  }, 1)
  for (const type of [
    'CreditsRefunded',
    'RunEnded',
    'RunResumed',
    'RunCancelled',
    'RunDispatchFailed',
    'RunRefunded',
    'RunChargeAbandoned',
  ])
    expect(seen).toContain(type)
})
