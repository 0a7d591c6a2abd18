import type { Command } from 'commander'
import { commandIdOf } from '../../application/input.ts'
import type { RunHistory } from '../../application/read-run-history.ts'
import type { FileSnapshot, RunSnapshot } from '../../domain/workflow-run/history.ts'
import { type AskerOptions, asked, askerOf } from './asker.ts'
import type { CliDeps } from './deps.ts'
import { type Column, fields, print, printJson, table, when } from './output.ts'
import { type MomentFlags, momentsOf } from './replay-moments.ts'
import { comparisonText, indented, stepText } from './replay-text.ts'
import { withBus } from './session.ts'

type ReplayOptions = AskerOptions & MomentFlags

/** `runs replay`: what each event made of a run and its files. */
export const addRunsReplay = (runs: Command, deps: CliDeps): void => {
  asked(runs.command('replay').description('show what each event made of a run: who, when, and what changed'))
    .argument('<id>', 'the id of the run')
    .option('--at <moment>', 'as it was at a revision (0 is the first event) or an ISO 8601 time')
    .option('--compare <a..b>', 'how two moments differ, like 2..5 or 2026-01-31T12:00Z..2026-01-31T13:00Z')
    .action(async (given: string, options: ReplayOptions) => {
      const id = commandIdOf(given, 'id')
      const moments = momentsOf(options)
      await withBus(deps, async ({ bus }) => {
        const history = await bus.runs.history(askerOf(options), id, moments)
        if (options.json) printJson(history)
        else print(runHistoryText(history))
      })
    })
}

/** The history of a run as people read it: a block for each event with what it changed, and every file at the end. */
export const runHistoryText = ({ id, items, state, comparison }: RunHistory): string =>
  [
    `Run ${id}`,
    ...(items.length === 0 ? ['Nothing had happened by then.'] : items.map(stepText)),
    ...(comparison === null ? [`State\n${stateText(state)}`] : [comparisonText(comparison)]),
  ].join('\n\n')

const stateText = (state: RunSnapshot | null): string => {
  if (state === null) return '  It had not begun.'
  const { files, charges, owed, ...told } = state
  const paid = charges.map(
    ({ round, taken, returned }) =>
      `round ${round}: ${taken.monthly} monthly, ${taken.purchased} purchased${returned === null ? '' : `; given back ${returned.monthly} and ${returned.purchased}`}`,
  )
  return [
    indented(fields([...Object.entries(told), ['charges', paid.join('; ')], ['owed', owed.length === 0 ? '' : owed]])),
    '',
    indented(table(files, columns)),
  ].join('\n')
}

const columns: readonly Column<FileSnapshot>[] = [
  { title: 'FILE', value: file => String(file.index) },
  { title: 'NAME', value: file => file.fileName, flexible: true },
  { title: 'STATUS', value: file => (file.open ? `${file.status}, open` : file.status) },
  { title: 'RETRIES', value: file => String(file.retryAttempt) },
  { title: 'RETRIED', value: file => when(file.lastRetriedAt) },
  { title: 'ERROR', value: file => file.errorMessage, flexible: true },
]
