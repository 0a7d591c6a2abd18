import { describe, expect, test } from 'vitest'
import { brokenRule, stageTargets } from '../../src/domain/campaign/campaign.ts'
import { isWithinHours } from '../../src/domain/campaign/hours.ts'

const soFar = { failures: 0, sameCause: 0, failuresOfStage: 0, sizeOfStage: 0 }

describe('a campaign', () => {
  test('O1: a share is broken by exactly so many, whatever its fraction is in binary', () => {
    for (let percent = 1; percent <= 100; percent++) {
      const broken = (failuresOfStage: number) =>
        brokenRule({ share: percent / 100 }, { ...soFar, failuresOfStage, sizeOfStage: 100 }) !== null
      expect([percent, broken(percent - 1), broken(percent)]).toEqual([percent, false, true])
    }
  })

  test('O1: stages are rounded up, the last one is all, and those that add none are left out', () => {
    const targets = (total: number, stages: readonly number[]) =>
      stageTargets({ total, canary: null, campaign: { stages } })
    expect(targets(3, [1, 5, 25, 100])).toEqual([1, 3])
    expect(targets(1, [1, 100])).toEqual([1])
    expect(targets(0, [1, 100])).toEqual([0])
    expect(targets(750, [4.4, 8.8, 10.8, 100])).toEqual([33, 66, 81, 750])
    expect(targets(1_000_000, [0.001, 100])).toEqual([10, 1_000_000])
  })

  test('O1: hours hold when the clock is changed: an hour that is skipped never comes, one that comes twice counts twice', () => {
    const early = { from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' }
    const minutes = (hours: typeof early, day: string) =>
      Array.from({ length: 24 * 6 }, (_, i) => new Date(Date.parse(day) + i * 600_000).toISOString()).filter(at =>
        isWithinHours(hours, at),
      ).length * 10
    expect([
      minutes(early, '2026-03-28T12:00:00Z'),
      minutes(early, '2026-10-24T12:00:00Z'),
      minutes(early, '2026-06-01T12:00:00Z'),
      minutes({ ...early, from: '22:00', to: '00:00' }, '2026-06-01T12:00:00Z'),
      minutes({ ...early, from: '22:00', to: '02:30' }, '2026-10-24T12:00:00Z'),
    ]).toEqual([0, 120, 60, 120, 300])
  })
})
