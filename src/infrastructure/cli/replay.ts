import type { Command } from 'commander'
import { commandIdOf, domainOf } from '../../application/input.ts'
import { type CommandHistory, type HistoryOptions, momentOf } from '../../application/read-history.ts'
import type { CliDeps } from './deps.ts'
import { UsageError } from './failure.ts'
import { print, printJson } from './output.ts'
import { showSteps } from './replay-steps.ts'
import { historyText } from './replay-text.ts'
import { withBus } from './session.ts'
import { whichDomain } from './which-domain.ts'

export interface ReplayOptions {
  readonly domain?: string
  readonly at?: string
  readonly compare?: string
  readonly step?: true
  readonly json?: true
}

/** `replay`: what each event made of a command. */
export const addReplay = (program: Command, deps: CliDeps): void => {
  program
    .command('replay')
    .description('show what each event made of a command: who, when, the state after it and what changed')
    .argument('<id>', 'the id of the command')
    .option('--domain <domain>', 'where to look; needed when the id is in several')
    .option('--at <moment>', 'as it was at a revision (0 is the first event) or an ISO 8601 time')
    .option('--compare <a..b>', 'how two moments differ, like 2..5 or 2026-01-31T12:00Z..2026-01-31T13:00Z')
    .option('--step', 'one event at a time')
    .option('--json', 'print JSON')
    .action(async (given: string, options: ReplayOptions) => {
      const id = commandIdOf(given)
      const domain = options.domain === undefined ? undefined : domainOf(options.domain)
      const moments = momentsOf(options)
      // the connection is not needed while somebody reads
      const history = await withBus(deps, async ({ bus }) =>
        bus.getHistory(await whichDomain(bus, id, domain), id, moments),
      )
      await showHistory(history, options)
    })
}

/** Shows a history as the flags say, wherever it comes from. */
export const showHistory = async (
  history: CommandHistory,
  { json, step }: Pick<ReplayOptions, 'json' | 'step'>,
): Promise<void> => {
  if (json) printJson(history)
  else if (step) await showSteps(history)
  else print(historyText(history))
}

/** The moments that the flags name, checked before anything is connected. @throws UsageError, InvalidInputError */
export const momentsOf = ({ at, compare }: Pick<ReplayOptions, 'at' | 'compare'>): HistoryOptions => {
  if (compare === undefined) return at === undefined ? {} : { at: momentOf(at, '--at') }
  if (at !== undefined) throw new UsageError('--at shows one moment and --compare two: leave out one of them')
  const [from, to, ...more] = compare.split('..')
  if (!from || !to || more.length > 0) throw new UsageError('--compare takes two moments, like --compare 2..5')
  return { from: momentOf(from, '--compare'), to: momentOf(to, '--compare') }
}
