import type { Command } from 'commander'
import {
  type FailureCause,
  figureRanges,
  type Spread,
  type TypeFigures,
} from '../../../application/ports/reading/figures.ts'
import { oneOf } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { type Column, counted, table, when } from '../text/output.ts'

interface TypesFlags {
  readonly range?: string
  readonly domain?: string
  readonly type?: string
  readonly json?: true
}

/** `types`: how often commands are sent, how they end, how long they wait and run. `failures`: why they fail. */
export const addFigures = (program: Command, deps: CliDeps): void => {
  program
    .command('types')
    .description(
      'types of commands: how many were sent, how they ended, how long attempts waited and ran, what waits now',
    )
    .option('--range <range>', `how far back: ${figureRanges.join(', ')} (default: 15m)`)
    .option('--domain <domain>', 'only of this domain')
    .option('--type <commandType>', 'only this type')
    .option('--json', 'print JSON, with the course of the range')
    .action(async ({ range, domain, type, ...flags }: TypesFlags) => {
      const filter = {
        ...(range === undefined ? {} : { range: oneOf(figureRanges, range, '--range') }),
        ...(domain === undefined ? {} : { domain }),
        ...(type === undefined ? {} : { commandType: type }),
      }
      await printAnswer(deps, flags, async bus => {
        const page = await bus.figures.types(filter)
        const rows = page.items.length === 0 ? 'No commands in this range.' : table(page.items, typeColumns)
        return [page, rows + lateNote(page.behindSeconds)]
      })
    })

  program
    .command('failures')
    .description(
      'why commands fail: each type and error code with what is parked and its course; those that fail now first',
    )
    .option('--json', 'print JSON')
    .action(async (flags: { readonly json?: true }) =>
      printAnswer(deps, flags, async bus => {
        const page = await bus.figures.causes()
        const more = page.total - page.items.length
        const rows = page.items.length === 0 ? 'No failures.' : table(page.items, causeColumns)
        return [page, rows + (more > 0 ? `\n\n${counted(more, 'more cause')}` : '') + lateNote(page.behindSeconds)]
      }),
    )
}

const LATE_SECONDS = 60

const lateNote = (behindSeconds: number | null): string => {
  if (behindSeconds === null)
    return '\n\nNo process counts figures: run `commandbus start`, or bus.figures.count() in one of your processes.'
  return behindSeconds < LATE_SECONDS ? '' : `\n\nThe figures are ${behindSeconds} s behind.`
}

const share = (value: number | null): string => (value === null ? '' : `${Math.round(value * 1_000) / 10} %`)
const ms = (value: number): string => (value < 1_000 ? `${value} ms` : `${Math.round(value / 100) / 10} s`)
const spread = ({ p50Ms, p95Ms }: Spread): string =>
  p50Ms === null || p95Ms === null ? '' : `${ms(p50Ms)} / ${ms(p95Ms)}`

const typeColumns: readonly Column<TypeFigures>[] = [
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'TYPE', value: item => item.commandType },
  { title: 'SENT', value: item => String(item.sent) },
  { title: 'FAILURES', value: item => share(item.failureShare) },
  { title: 'WAIT P50 / P95', value: item => spread(item.wait) },
  { title: 'RUN P50 / P95', value: item => spread(item.run) },
  { title: 'WAITING', value: item => (item.waiting === 0 ? '' : String(item.waiting)) },
  { title: 'RUNNING', value: item => (item.running === 0 ? '' : String(item.running)) },
  { title: 'LAST SUCCESS', value: item => when(item.lastSuccessAt) },
  {
    title: 'ERRORS',
    value: item => item.errors.map(({ code, count }) => `${code || 'no code'} ${count}`).join(', '),
    flexible: true,
  },
]

const causeColumns: readonly Column<FailureCause>[] = [
  { title: 'ERROR', value: item => `${item.errorCode || 'no code'}${item.isNew ? ' (new)' : ''}` },
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'TYPE', value: item => item.commandType },
  { title: 'PARKED', value: item => String(item.parked) },
  { title: 'FAILED', value: item => String(item.failed) },
  { title: '15 MIN', value: item => `+${item.last15m}` },
  { title: '1 H', value: item => `+${item.last1h}` },
  { title: 'FIRST', value: item => when(item.first) },
  { title: 'LAST', value: item => when(item.last) },
]
