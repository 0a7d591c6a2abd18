import { fillLog } from '../growth/fill.ts'
import { type MemoryFigures, measureMemory, megabytes } from '../growth/memory.ts'
import { measureRate, type RateFigures } from '../growth/rate.ts'
import { type Mode, onDatabase, say } from '../mode.ts'
import { decimals } from '../report.ts'
import { leastOfEmptyLog, mostMemoryGrowth } from '../targets.ts'

const EVENTS = 5_000_000
const COMMANDS = 1_000_000

type Figures = { readonly events: number; readonly rate: RateFigures; readonly memory: MemoryFigures }

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const growthTable = ({ events, rate, memory }: Figures): string =>
  [
    `work-50 with ${whole(events)} events in the log, medians`,
    `  empty log   ${whole(rate.withNone).padStart(8)} a second`,
    `  full log    ${whole(rate.withAll).padStart(8)} a second`,
    `  ratio       ${rate.ratio.toFixed(2).padStart(8)}, ${rate.min.toFixed(2)} to ${rate.max.toFixed(2)}, target ${leastOfEmptyLog}`,
    `memory of a worker's process, ${whole(memory.commands)} commands after the warm-up, MB`,
    `  warm        ${megabytes(memory.warm).padStart(8)}`,
    `  tenths      ${memory.tenths.map(rss => megabytes(rss).padStart(8)).join('')}, medians`,
    `  peak        ${megabytes(memory.peak).padStart(8)}`,
    `  growth      ${percent(memory.growth).padStart(8)}, the largest tenth over warm, target below ${percent(mostMemoryGrowth)}`,
  ].join('\n')

const growthJson = ({ events, rate, memory }: Figures): string => {
  const mb = (bytes: number) => decimals(bytes / 2 ** 20, 1)
  return JSON.stringify({
    results: [
      {
        ...{ work: 'work-50', variant: `${events} events`, rate: decimals(rate.withAll, 1) },
        ...{ withNone: decimals(rate.withNone, 1), ratio: decimals(rate.ratio, 3) },
        ...{ min: decimals(rate.min, 3), max: decimals(rate.max, 3) },
      },
      {
        ...{ work: 'worker-memory', variant: 'ours', commands: memory.commands, warmMb: mb(memory.warm) },
        ...{ tenthsMb: memory.tenths.map(mb), peakMb: mb(memory.peak), growth: decimals(memory.growth, 3) },
      },
    ],
  })
}

const missed = ({ events, rate, memory }: Figures): readonly string[] => [
  ...(rate.ratio >= leastOfEmptyLog
    ? []
    : [
        `work-50 with ${whole(events)} events reaches ${rate.ratio.toFixed(3)} of an empty log, the target is ${leastOfEmptyLog}`,
      ]),
  ...(memory.growth < mostMemoryGrowth
    ? []
    : [`the memory of a worker grew by ${percent(memory.growth)}, the target is below ${percent(mostMemoryGrowth)}`]),
]

export const growth: Mode = {
  usage: [
    'growth           work-50 with 5,000,000 events in the log, beside an empty one; the memory of a worker over 1,000,000',
    '                 commands; needs some 10 GB of disk, takes 5 minutes to half an hour',
    '--events <n>     of growth: events in the log',
    '--commands <n>   of growth: commands through the worker whose memory is watched, and of the rate at most',
  ],
  run: onDatabase(async ({ database, options, check }) => {
    const { events = EVENTS, commands = COMMANDS, rounds, quick } = options
    const full = await database.addDatabase()
    await fillLog(full, events, check)
    const atMost = quick ? 5_000 : 20_000
    const rate = await measureRate(
      { none: database.url, all: full },
      { commands: Math.min(atMost, commands), rounds, check },
    )
    say('memory: a tenth to warm up, then all')
    const memory = await measureMemory(full, commands, check)
    const figures = { events, rate, memory }
    return { table: growthTable(figures), json: growthJson(figures), misses: missed(figures) }
  }),
}
