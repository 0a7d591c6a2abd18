import { beforeEach, describe, expect, test } from 'vitest'
import type { OpenedMessage, WorkItem } from '../../../src/application/commands/work-message.ts'
import { createSuspects } from '../../../src/infrastructure/worker/suspects.ts'

/** The part of a job that matters here. */
const job = (suspect: boolean) => ({ kind: 'work', suspect }) as WorkItem
const finished = { kind: 'finished' } as OpenedMessage

let ms = 0
let suspects: ReturnType<typeof createSuspects>
beforeEach(() => {
  ms = 0
  suspects = createSuspects(() => ms)
})

describe('which jobs may run', () => {
  test('one suspect at a time, beside all other jobs', () => {
    const [first, second] = [job(true), job(true)]
    expect([first, second, job(false)].map(suspects.mayRun)).toEqual([true, false, true])
    suspects.ended(first)
    expect([second, first].map(suspects.mayRun)).toEqual([true, false])
  })

  test('the end of another job does not let the next suspect in', () => {
    suspects.mayRun(job(true))
    suspects.ended(job(false))
    suspects.ended(job(true))
    expect(suspects.mayRun(job(true))).toBe(false)
  })
})

describe('how many messages are read', () => {
  test('as many as there are free slots, while batches have at most one suspect', () => {
    suspects.saw([job(true), job(false), finished])
    expect([suspects.atMost(), suspects.waitMs()]).toEqual([Number.POSITIVE_INFINITY, 0])
    suspects.mayRun(job(true))
    expect([suspects.atMost(), suspects.waitMs()]).toEqual([Number.POSITIVE_INFINITY, 0])
  })

  test('one by one after a batch with two suspects, until a batch has none', () => {
    suspects.saw([job(true), job(true)])
    expect(suspects.atMost()).toBe(1)
    suspects.saw([job(true)])
    expect(suspects.atMost()).toBe(1)
    suspects.saw([job(false), finished])
    expect(suspects.atMost()).toBe(Number.POSITIVE_INFINITY)
  })

  test('none in the first moment of a suspect while others wait; then the others as usual', () => {
    const first = job(true)
    suspects.saw([first, job(true)])
    ms = 1000
    suspects.mayRun(first)
    expect(suspects.waitMs()).toBe(25)
    ms += 10
    expect(suspects.waitMs()).toBe(15)
    ms += 100
    expect([suspects.waitMs(), suspects.atMost()]).toEqual([0, Number.POSITIVE_INFINITY])
    suspects.ended(first)
    expect([suspects.waitMs(), suspects.atMost()]).toEqual([0, 1])
    const quick = job(true)
    suspects.mayRun(quick)
    suspects.ended(quick)
    expect([suspects.waitMs(), suspects.atMost()]).toEqual([0, 1])
  })
})

test('suspects that were handed back return at once, unless the running one takes longer than a moment', () => {
  expect(suspects.pauseMs()).toBe(0)
  const first = job(true)
  ms = 1000
  suspects.mayRun(first)
  ms += 24
  expect(suspects.pauseMs()).toBe(0)
  ms += 1
  expect(suspects.pauseMs()).toBe(250)
  suspects.ended(first)
  expect(suspects.pauseMs()).toBe(0)
})
