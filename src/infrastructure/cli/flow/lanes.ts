import type { Command } from 'commander'
import { laneOf, laneSettingsOf } from '../../../application/flow/lane-input.ts'
import type { LaneThen } from '../../../application/flow/lanes.ts'
import type { Lane } from '../../../application/ports/reading/lane-queries.ts'
import { defined, domainOf, instantOf, limitOf, optional } from '../../../application/shared/input.ts'
import { allPages, printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { type Column, fields, table, timeColumn, when } from '../text/output.ts'
import { type SettingFlags, settingsOf, withSettings } from './lane-settings.ts'

interface ListFlags {
  readonly domain?: string
  readonly blocked?: true
  readonly at?: string
  readonly limit?: number
  readonly cursor?: string
  readonly json?: true
}

/** `lanes`: who runs in a lane, who waits, and what blocks it; its settings. */
export const addLanes = (program: Command, deps: CliDeps): void => {
  const lanes = program.command('lanes').description('lanes: who runs, who waits, and what blocks them; their settings')

  lanes
    .command('list')
    .description('lanes that have commands or settings, by domain and name')
    .option('--domain <domain>', 'only of this domain')
    .option('--blocked', 'only those in which nothing can begin')
    .option('--at <instant>', 'the settings of single lanes as they were then (ISO 8601), and who had made them')
    .option('--limit <n>', 'how many at most, 1-500', numberOf('--limit'))
    .option('--cursor <cursor>', 'the next page')
    .option(...allPages)
    .option('--json', 'print JSON')
    .action(async (flags: ListFlags) => {
      const { blocked, limit, cursor } = flags
      const domain = optional(flags.domain, domainOf)
      const ofDomain = domain === null ? {} : { domain }
      if (flags.at !== undefined) return listAt(deps, flags, instantOf(flags.at, '--at'), ofDomain)
      const filter = {
        ...ofDomain,
        ...defined({ blocked, cursor }),
        ...(limit === undefined ? {} : { limit: limitOf(limit) }),
      }
      return printPage(deps, flags, (bus, from) => bus.lanes.list({ ...filter, ...from }), columns, 'No lanes.')
    })

  named(lanes, 'show', 'one lane')
    .option('--json', 'print JSON')
    .action(async (domain: string, name: string, flags: { readonly json?: true }) => {
      const key = [domainOf(domain), laneOf(name)] as const
      await printAnswer(deps, flags, async bus => {
        const lane = await bus.lanes.get(...key)
        return [lane, textOfLane(lane)]
      })
    })

  withSettings(named(lanes, 'set', 'set width and rate of a lane, and what a parked command does to it')).action(
    async (domain: string, name: string, flags: SettingFlags) => {
      const key = [domainOf(domain), laneOf(name)] as const
      const settings = laneSettingsOf(settingsOf(flags))
      await printAnswer(deps, flags, async bus => {
        const lane = await bus.lanes.set(...key, { ...settings, operator: operatorOf(flags.operator) })
        return [lane, textOfLane(lane)]
      })
    },
  )
}

const listAt = (deps: CliDeps, flags: ListFlags, at: string, filter: { readonly domain?: string }): Promise<void> =>
  printAnswer(deps, flags, async bus => {
    const items = await bus.lanes.listAt(at, filter)
    return [{ items }, items.length === 0 ? 'No lane had settings of its own.' : table(items, columnsThen)]
  })

const named = (lanes: Command, action: string, description: string): Command =>
  lanes
    .command(action)
    .description(description)
    .argument('<domain>', 'the domain of its commands')
    .argument('<lane>', 'the name of the lane: the key of its commands, or <limit> or <limit>/<tenant>')

const MOST_COUNTED = 1_000

const waitingOf = ({ waiting }: Lane): string => `${waiting}${waiting >= MOST_COUNTED ? ' or more' : ''}`
const widthOf = ({ width }: Lane): string => (width === null ? 'no limit' : String(width))
const blockerOf = ({ blockedBy }: Lane): string =>
  blockedBy === null
    ? ''
    : `${blockedBy.commandId ?? 'a command of another tenant'}, ${blockedBy.why === 'PARKED' ? 'parked' : 'waiting for its retry'} since ${when(blockedBy.since)}`

const columns: readonly Column<Lane>[] = [
  { title: 'DOMAIN', value: one => one.domain },
  { title: 'LANE', value: one => one.lane, flexible: true },
  { title: 'WIDTH', value: widthOf },
  { title: 'RATE', value: one => one.ratePerSecond },
  { title: 'ON PARK', value: one => one.onPark },
  { title: 'RUNNING', value: one => one.running.length },
  { title: 'WAITING', value: waitingOf },
  timeColumn('SINCE', one => one.waitingSince),
  { title: 'BLOCKED BY', value: blockerOf },
]

const columnsThen: readonly Column<LaneThen>[] = [
  { title: 'DOMAIN', value: one => one.domain },
  { title: 'LANE', value: one => one.lane, flexible: true },
  { title: 'WIDTH', value: one => one.width },
  { title: 'RATE', value: one => one.ratePerSecond },
  { title: 'ON PARK', value: one => one.onPark },
  { title: 'SET BY', value: one => one.updatedBy, flexible: true },
  timeColumn('SET', one => one.updatedAt),
]

const textOfLane = (one: Lane): string =>
  fields([
    ['Domain', one.domain],
    ['Lane', one.lane],
    ['Width', widthOf(one)],
    ['Rate', one.ratePerSecond === null ? '' : `${one.ratePerSecond} a second`],
    ['On park', one.onPark],
    ['Limit', one.limit],
    ['Running', one.running.join(', ')],
    ['Waiting', one.waitingSince === null ? '0' : `${waitingOf(one)}, since ${when(one.waitingSince)}`],
    ['Blocked by', blockerOf(one)],
  ])
