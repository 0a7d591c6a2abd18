import type { Command } from 'commander'
import type { RunHistory } from '../../../application/runs/read-run-history.ts'
import { commandIdOf } from '../../../application/shared/input.ts'
import type { Change } from '../../../domain/json/json-diff.ts'
import type { FileSnapshot, RunSnapshot, RunSummary } from '../../../domain/workflow-run/history.ts'
import type { CliDeps } from '../support/deps.ts'
import { asPrincipal, type PrincipalOptions, principalOf } from '../support/principal.ts'
import { withBus } from '../support/session.ts'
import { type Column, fields, print, printJson, table, timeColumn } from '../text/output.ts'
import { showSteps } from '../text/replay-steps.ts'
import { comparisonText, indented, stepText } from '../text/replay-text.ts'
import { type MomentFlags, momentsOf } from './replay-moments.ts'

type ReplayOptions = PrincipalOptions & MomentFlags & { readonly step?: true }

/** `runs replay`: a run and its files after each event. */
export const addRunsReplay = (runs: Command, deps: CliDeps): void => {
  asPrincipal(runs.command('replay').description('show each event of a run: who, when, and what changed'))
    .argument('<id>', 'the id of the run')
    .option('--at <moment>', 'as it was at a revision (0 is the first event) or an ISO 8601 time')
    .option('--compare <a..b>', 'how two moments differ, like 2..5 or 2026-01-31T12:00Z..2026-01-31T13:00Z')
    .option('--step', 'one event at a time')
    .action(async (given: string, options: ReplayOptions) => {
      const id = commandIdOf(given, 'id')
      const moments = momentsOf(options)
      // the connection is not kept while somebody reads
      const history = await withBus(deps, ({ bus }) => bus.runs.history(principalOf(options), id, moments))
      if (options.json) printJson(history)
      else if (options.step) await showRunSteps(history)
      else print(runHistoryText(history))
    })
}

const showRunSteps = ({ items }: RunHistory): Promise<void> => {
  const files = filesAfterEach(items)
  return showSteps(items, ({ state }, i) => {
    const then = files[i]
    return [summaryText(state), ...(then ? ['', filesText(then, MOST_FILES)] : [])].join('\n')
  })
}

type Files = readonly FileSnapshot[]

/**
 * The files after each event, put together from what each one changed. Null where the history does not begin with the
 * run's first event: then only the changes are known.
 */
export const filesAfterEach = (items: RunHistory['items']): readonly (Files | null)[] => {
  let files: Files | null = null
  return items.map(({ diff }) => {
    for (const change of diff) files = changed(files, change)
    return files
  })
}

const changed = (files: Files | null, { path, to }: Change): Files | null => {
  const [, part, index, member] = path.split('/')
  if (part !== 'files') return files
  if (index === undefined) return to as Files | null
  const at = Number(index)
  const file = files?.[at]
  return files === null || file === undefined || member === undefined
    ? files
    : files.with(at, { ...file, [member]: to } as FileSnapshot)
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
  const { files, ...summary } = state
  return [summaryText(summary), '', filesText(files)].join('\n')
}

const summaryText = ({ charges, owed, ...rest }: RunSummary): string => {
  const paid = charges.map(
    ({ round, taken, returned }) =>
      `round ${round}: ${taken.monthly} monthly, ${taken.purchased} purchased${returned === null ? '' : `; refunded ${returned.monthly} and ${returned.purchased}`}`,
  )
  return indented(
    fields([...Object.entries(rest), ['charges', paid.join('; ')], ['owed', owed.length === 0 ? '' : owed]]),
  )
}

/** A thousand files after each of a hundred events would be unreadable. */
const MOST_FILES = 40

const filesText = (files: Files, most = files.length): string => {
  const rest = files.slice(most)
  const counts = new Map<string, number>()
  for (const { status } of rest) counts.set(status, (counts.get(status) ?? 0) + 1)
  const restText = [...counts].map(([status, count]) => `${count} ${status}`).join(', ')
  return indented(
    `${table(files.slice(0, most), columns)}${rest.length === 0 ? '' : `\nand ${rest.length} more files: ${restText}`}`,
  )
}

const columns: readonly Column<FileSnapshot>[] = [
  { title: 'FILE', value: file => String(file.index) },
  { title: 'NAME', value: file => file.fileName, flexible: true },
  { title: 'STATUS', value: file => (file.open ? `${file.status}, open` : file.status) },
  { title: 'RETRIES', value: file => String(file.retryAttempt) },
  timeColumn('RETRIED', file => file.lastRetriedAt),
  { title: 'ERROR', value: file => file.errorMessage, flexible: true },
]
