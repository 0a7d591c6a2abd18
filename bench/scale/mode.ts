import { type Mode, onDatabase, say } from '../mode.ts'
import { commandsOf } from '../options.ts'
import { decimals, median } from '../report.ts'
import { openDatabase } from '../server.ts'
import { type Fleet, rateOf } from './fleet.ts'

const MANY_DOMAINS = 50

const fleets: readonly Fleet[] = [
  ...[1, 2, 4, 8].map(processes => ({ processes, domains: 1 })),
  { processes: 8, domains: MANY_DOMAINS },
]

type Row = Fleet & {
  /** Commands a second, the median of the rounds. */
  readonly rate: number
  /** The median of the ratios of each round to one process. */
  readonly ratio: number
  readonly min: number
  readonly max: number
}

const rowsOf = (rates: readonly (readonly number[])[]): readonly Row[] =>
  fleets.map((fleet, of) => {
    const own = rates[of] ?? []
    const ratios = own.map((rate, round) => rate / (rates[0]?.[round] ?? Number.NaN))
    return { ...fleet, rate: median(own), ratio: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }
  })

const table = (rows: readonly Row[], commands: number): string =>
  [
    `${commands.toLocaleString('en-US')} commands, sent before; from the first completion to the last, medians`,
    'processes   domains   a second   ratio to one process',
    ...rows.map(({ processes, domains, rate, ratio, min, max }) =>
      [
        ...[String(processes).padStart(9), String(domains).padStart(10)],
        Math.round(rate).toLocaleString('en-US').padStart(11),
        `   ${ratio.toFixed(2)}, ${min.toFixed(2)} to ${max.toFixed(2)}`,
      ].join(''),
    ),
  ].join('\n')

const json = (rows: readonly Row[], commands: number): string =>
  JSON.stringify({
    results: rows.map(({ processes, domains, rate, ratio, min, max }) => ({
      ...{ work: 'scale', variant: `${processes} processes, ${domains} domains`, commands, processes, domains },
      ...{ rate: decimals(rate, 1), ratio: decimals(ratio, 3), min: decimals(min, 3), max: decimals(max, 3) },
    })),
  })

/** Each worker has a connection that listens, and eight processes with 50 workers have 400 of them. */
const openLarge = () => openDatabase({ max_connections: '700' })

export const scale: Mode = {
  usage: ['scale            1, 2, 4 and 8 worker processes on one domain, and 8 on 50 domains, beside one process'],
  run: onDatabase(async ({ database, options, check }) => {
    // as many in each of the domains
    const commands = Math.ceil(commandsOf(options) / MANY_DOMAINS) * MANY_DOMAINS
    const rates = fleets.map((): number[] => [])
    for (let round = 1; round <= options.rounds; round++) {
      const turns = fleets.map((fleet, of) => ({ fleet, of }))
      for (const { fleet, of } of round % 2 === 1 ? turns : turns.toReversed()) {
        check()
        const rate = await rateOf(fleet, { url: database.url, commands, check })
        rates[of]?.push(rate)
        say(
          `round ${round} of ${options.rounds}: ${fleet.processes} processes, ${fleet.domains} domains ${Math.round(rate).toLocaleString('en-US')} a second`,
        )
      }
    }
    const rows = rowsOf(rates)
    return { table: table(rows, commands), json: json(rows, commands) }
  }, openLarge),
}
