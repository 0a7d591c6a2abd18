import { say } from '../mode.ts'
import { openOurs } from '../ours.ts'
import { median } from '../report.ts'
import { settle } from '../server.ts'
import type { Contender } from '../work.ts'

export type RateFigures = {
  /** Commands a second, medians. */
  readonly withNone: number
  readonly withAll: number
  /** The median of the ratios of each round. */
  readonly ratio: number
  readonly min: number
  readonly max: number
}

const warmUpCommands = 500

type Log = 'none' | 'all'

/** Works off commands in a database with an empty log and in one with a full log, in turns, and who begins changes. */
export const measureRate = async (
  urls: Readonly<Record<Log, string>>,
  { commands, rounds, check }: { readonly commands: number; readonly rounds: number; readonly check: () => void },
): Promise<RateFigures> => {
  const opened: { readonly log: Log; readonly ours: Contender }[] = []
  const rates: Readonly<Record<Log, number[]>> = { none: [], all: [] }
  try {
    for (const log of ['none', 'all'] as const)
      opened.push({ log, ours: await openOurs(urls[log], () => settle(urls[log])) })
    for (const { ours } of opened) await ours.measure['work-50'](warmUpCommands)
    for (let round = 1; round <= rounds; round++) {
      for (const { log, ours } of round % 2 === 1 ? opened : opened.toReversed()) {
        check()
        const rate = await ours.measure['work-50'](commands)
        rates[log].push(rate)
        const events = log === 'none' ? 'an empty log' : 'a full log'
        say(`round ${round} of ${rounds}: work-50 with ${events} ${Math.round(rate).toLocaleString('en-US')} a second`)
      }
    }
  } finally {
    for (const { ours } of opened) await ours.close()
  }
  const { none, all } = rates
  const ratios = all.map((rate, round) => rate / (none[round] ?? Number.NaN))
  return {
    ...{ withNone: median(none), withAll: median(all), ratio: median(ratios) },
    ...{ min: Math.min(...ratios), max: Math.max(...ratios) },
  }
}
