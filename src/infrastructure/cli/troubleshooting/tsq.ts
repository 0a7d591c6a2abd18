import type { Command } from 'commander'
import type { ParkedAtOptions } from '../../../application/investigation/investigate.ts'
import type {
  Page,
  TroubleshootingGroup,
  TroubleshootingItem,
} from '../../../application/ports/reading/command-queries.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { instantOf } from '../../../application/shared/input.ts'
import { parkedTimes } from '../../../domain/command/columns.ts'
import { allPages, more, pagesOf, printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { parkedFlags, type TroubleshootingFilterOptions, troubleshootingFilterOf } from '../support/filters.ts'
import { numberOf } from '../support/input.ts'
import { cutNote, payloadText } from '../text/cut-payload.ts'
import { type Column, table, timeColumn } from '../text/output.ts'
import { addExplain } from './explain.ts'
import { addOperatorActions } from './tsq-act.ts'
import { addActions } from './tsq-actions.ts'

/** Adds `tsq`: lists parked commands and offers the operator actions. */
export const addTroubleshooting = (program: Command, deps: CliDeps): void => {
  const tsq = program.command('tsq').description('look after commands in troubleshooting')
  addLists(tsq, deps)
  addExplain(tsq, deps)
  addActions(tsq, deps)
  addOperatorActions(tsq, deps)
}

interface ListOptions extends TroubleshootingFilterOptions {
  readonly at?: string
  readonly all?: true
  readonly json?: true
  readonly csv?: true
}

const filtered = (command: Command): Command => parkedFlags(command).option('--json', 'print JSON')

const addLists = (tsq: Command, deps: CliDeps): void => {
  filtered(tsq.command('list').description('list what is parked, newest first'))
    .option('--sort <order>', 'newest (default), oldest, or attempts: most of them first')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'go on where the page before ended')
    .option(...allPages)
    .option('--at <time>', 'as it was at this ISO 8601 time')
    .action(async (options: ListOptions) => {
      const filter = troubleshootingFilterOf(options)
      if (options.at !== undefined && options.sort !== undefined)
        throw new InvalidInputError('--sort', 'cannot be combined with --at')
      if (options.at !== undefined) return listAt(deps, { ...filter, at: instantOf(options.at, '--at') }, options)
      const counted = options.csv === true ? { counted: false } : {}
      await printAnswer(deps, options, async bus => {
        const page = await pagesOf(
          from => bus.troubleshooting.list({ ...filter, ...from, ...counted }),
          options.all === true,
        )
        return [page, parkedText(page, 'Nothing is parked.', `${page.total} in all`)]
      })
    })

  filtered(tsq.command('groups').description('count what is parked by domain, type, error code and place')).action(
    async (options: TroubleshootingFilterOptions & { readonly json?: true }) => {
      const filter = troubleshootingFilterOf(options)
      await printAnswer(deps, options, async bus => {
        const items = await bus.troubleshooting.groups(filter)
        return [{ items }, items.length === 0 ? 'Nothing is parked.' : table(items, groupColumns)]
      })
    },
  )
}

const listAt = (deps: CliDeps, filter: ParkedAtOptions, flags: ListOptions): Promise<void> =>
  printAnswer(deps, flags, async bus => {
    const page = await pagesOf(from => bus.troubleshooting.listAt({ ...filter, ...from }), flags.all === true)
    return [page, parkedText(page, `Nothing was parked at ${page.at}.`, `As it was at ${page.at}`)]
  })

const parkedText = ({ items, nextCursor }: Page<TroubleshootingItem>, none: string, below: string): string => {
  const care = careColumns.filter(({ value }) => items.some(item => (value(item) ?? '') !== ''))
  const columns = itemColumns.toSpliced(4, 0, ...care)
  return (items.length === 0 ? none : `${table(items, columns)}\n\n${below}${cutNote(items)}`) + more(nextCursor)
}

/** Shown where an item has one of them. */
const careColumns: readonly Column<TroubleshootingItem>[] = [
  { title: 'ASSIGNEE', value: item => item.assignee },
  { title: 'TAGS', value: item => item.tags.join(', '), flexible: true },
  { title: 'NOTES', value: item => (item.notes === 0 ? '' : String(item.notes)) },
]

const itemColumns: readonly Column<TroubleshootingItem>[] = [
  { title: 'COMMAND', value: item => item.commandId },
  { title: 'DOMAIN', value: item => item.domain, spare: true },
  { title: 'TYPE', value: item => item.commandType, flexible: true },
  { title: 'REASON', value: item => item.parkedReason, spare: true },
  ...parkedTimes.map(
    ([name, label]): Column<TroubleshootingItem> => timeColumn(label.toUpperCase(), item => item[name]),
  ),
  timeColumn('PARKED', item => item.parkedAt),
  { title: 'ERROR', value: item => `${item.lastErrorCode}: ${item.lastErrorMsg ?? ''}`, flexible: true },
  { title: 'ATTEMPTS', value: item => `${item.attempts}/${item.maxAttempts}`, spare: true },
  { title: 'PAYLOAD', value: payloadText, flexible: true, spare: true },
]

const groupColumns: readonly Column<TroubleshootingGroup>[] = [
  { title: 'COUNT', value: group => String(group.count) },
  { title: 'DOMAIN', value: group => group.domain },
  { title: 'TYPE', value: group => group.commandType, flexible: true },
  { title: 'ERROR CODE', value: group => group.errorCode },
  { title: 'THROWN AT', value: group => group.frame ?? '', flexible: true, spare: true },
  { ...timeColumn<TroubleshootingGroup>('FIRST', group => group.first), spare: true },
  timeColumn('LAST', group => group.last),
  { title: 'ASSIGNEE', value: ({ care }) => care?.assignee ?? null },
  timeColumn('INVESTIGATED UNTIL', ({ care }) => care?.investigatedUntil ?? null),
  { title: 'SAMPLE', value: group => group.sample, flexible: true, spare: true },
]
