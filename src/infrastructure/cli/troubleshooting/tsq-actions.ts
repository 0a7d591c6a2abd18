import type { Command } from 'commander'
import {
  type ActionChange,
  type ActionListFilter,
  actionStatuses,
  becameWords,
  type ItemListFilter,
} from '../../../application/ports/action-store.ts'
import { commandIdOf, defined, instantOf, textOf } from '../../../application/shared/input.ts'
import { actionListOf, itemListOf } from '../../../application/troubleshooting/action-input.ts'
import {
  ActionNotFoundError,
  type ActionView,
  type GetActionOptions,
} from '../../../application/troubleshooting/bulk-action.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { more, printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { type Column, fields, table, timeColumn, when } from '../text/output.ts'
import { becameText, carryOut, itemColumns } from './carry-out.ts'

interface Options {
  readonly status?: string
  readonly outcome?: string
  readonly became?: string
  readonly at?: string
  readonly limit?: number
  readonly cursor?: string
  readonly json?: true
}

/** Adds `tsq actions`: lists, shows, resumes and stops bulk actions. */
export const addActions = (tsq: Command, deps: CliDeps): void => {
  const actions = tsq
    .command('actions')
    .description('list actions on many commands, or show one with its items')
    .argument('[id]', 'the id of an action')
    .option('--status <status>', `of the list: those that are ${actionStatuses.join(', ')}`)
    .option('--outcome <outcome>', 'of one action: items that are SUCCEEDED, FAILED or SKIPPED')
    .option('--became <status>', `of one retry: commands that are ${becameWords.join(', ')} after it`)
    .option('--at <time>', 'of one action: as it was at this ISO 8601 time')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'go on where the page before ended')
    .option('--json', 'print JSON')
    .action((id: string | undefined, options: Options) =>
      id === undefined ? showAll(deps, options) : showOne(deps, id, options),
    )

  actions
    .command('list')
    .description('list actions, newest first: the same as without a word')
    .action((_: unknown, command: Command) => showAll(deps, command.optsWithGlobals()))

  actions
    .command('show')
    .description('show one with its items: the same as its id alone')
    .argument('<id>', 'the id of the action')
    .action((id: string, _: unknown, command: Command) => showOne(deps, id, command.optsWithGlobals()))

  actions
    .command('resume')
    .description('carry out what a paused or interrupted action has left')
    .argument('<id>', 'the id of the action')
    .option('--operator <who>', 'who does it (default: your user name)')
    .action(async (id: string, options: { readonly operator?: string }, command: Command) => {
      const actionId = commandIdOf(id, 'actionId')
      const operator = textOf(operatorOf(options.operator), 'operator', 200)
      await withBus(deps, async ({ bus }) =>
        carryOut(bus, await bus.actions.resume(actionId, { operator }), jsonOf(command)),
      )
    })

  actions
    .command('pause')
    .description('do nothing more of an action until it is resumed; commands that were sent go on')
    .argument('<id>', 'the id of the action')
    .option('--reason <text>', 'why; kept with the action')
    .option('--operator <who>', 'who does it (default: your user name)')
    .action(async (id: string, options: ControlFlags, command: Command) => {
      const [actionId, control] = controlOf(id, options)
      await printAnswer(deps, jsonOf(command), async bus => {
        const view = await bus.actions.pause(actionId, control)
        return [view, `Action ${actionId} is PAUSED: ${view.succeeded} of ${view.total} were done.`]
      })
    })

  actions
    .command('stop')
    .description('end an action; what was not done yet is skipped')
    .argument('<id>', 'the id of the action')
    .option('--reason <text>', 'why; kept with the action')
    .option('--operator <who>', 'who does it (default: your user name)')
    .action(async (id: string, options: ControlFlags, command: Command) => {
      const [actionId, control] = controlOf(id, options)
      await printAnswer(deps, jsonOf(command), async bus => {
        const view = await bus.actions.stop(actionId, control)
        return [view, `Action ${actionId} is ${view.status}: ${view.succeeded} of ${view.total} were done.`]
      })
    })
}

interface ControlFlags {
  readonly reason?: string
  readonly operator?: string
}

const controlOf = (id: string, { reason, operator }: ControlFlags) =>
  [
    commandIdOf(id, 'actionId'),
    {
      operator: textOf(operatorOf(operator), 'operator', 200),
      ...(reason === undefined ? {} : { reason: textOf(reason, 'reason') }),
    },
  ] as const

/** Reads the flag from `actions`, at any place in the command line. */
const jsonOf = (command: Command): { readonly json?: true } => (command.optsWithGlobals().json ? { json: true } : {})

const itemFilterOf = ({ outcome, became, limit, cursor }: Options): ItemListFilter =>
  itemListOf({
    ...(became === undefined ? {} : { became: became.toUpperCase() as NonNullable<ItemListFilter['became']> }),
    ...(outcome === undefined ? {} : { outcome: outcome.toUpperCase() as NonNullable<ItemListFilter['outcome']> }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  })

const listFilterOf = ({ status, limit, cursor }: Options): ActionListFilter =>
  actionListOf({
    ...(status === undefined ? {} : { status: status.toUpperCase() as NonNullable<ActionListFilter['status']> }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  })

const existing = async (bus: CommandBus, actionId: string, options: GetActionOptions): Promise<ActionView> => {
  const view = await bus.actions.get(actionId, options)
  if (view === null) throw new ActionNotFoundError(actionId)
  return view
}

const showAll = async (deps: CliDeps, options: Options): Promise<void> => {
  if (options.outcome !== undefined) throw new UsageError('--outcome is about the items of one action: name its id')
  const filter = listFilterOf(options)
  await printPage(deps, options, bus => bus.actions.list(filter), actionColumns, 'No actions.')
}

const showOne = async (deps: CliDeps, id: string, options: Options): Promise<void> => {
  if (options.status !== undefined) throw new UsageError('--status is about the list of actions: name no id')
  const filter = itemFilterOf(options)
  const at = options.at === undefined ? undefined : instantOf(options.at, '--at')
  const actionId = commandIdOf(id, 'actionId')
  await printAnswer(deps, options, async bus => {
    const view = await existing(bus, actionId, defined({ items: filter, at }))
    return [view, actionText(view)]
  })
}

const actionText = (view: ActionView): string => {
  const { items = [], nextCursor = null } = view.items ?? {}
  const { campaign, stageTargets, became, changes = [] } = view
  return [
    fields([
      ['Action', view.actionId],
      ['What', `${view.action} ${JSON.stringify(view.criteria)}`],
      ['Status', view.status],
      [view.status === 'PAUSED' ? 'Paused' : 'Ended early', view.note],
      ['Waits for', view.waitsFor],
      [
        'Stage',
        stageTargets.length > 1 ? `${view.stage} of ${stageTargets.length}, up to ${stageTargets.join(', ')}` : null,
      ],
      ['Goes', Object.keys(campaign).length === 0 ? null : JSON.stringify(campaign)],
      ['Canary', view.canary],
      ['Done', `${view.succeeded} of ${view.total}; ${view.failed} failed, ${view.skipped} skipped`],
      ['Afterwards', became === undefined ? null : becameText(view.succeeded, became)],
      ['Operator', view.operator],
      ['Tenant', view.tenantId],
      ['Begun', when(view.createdAt)],
      ['Changed', when(view.updatedAt)],
    ]),
    ...(changes.length < 3 ? [] : [table(changes, changeColumns)]),
    ...(items.length === 0 ? [] : [table(items, itemColumns) + more(nextCursor)]),
  ].join('\n\n')
}

const changeColumns: readonly Column<ActionChange>[] = [
  { title: 'AT', value: change => when(change.at) },
  { title: 'STATUS', value: change => change.status },
  { title: 'STAGE', value: change => String(change.stage) },
  { title: 'DONE', value: change => String(change.succeeded) },
  { title: 'BY', value: change => change.by },
  { title: 'WHY', value: change => change.note, flexible: true },
]

const actionColumns: readonly Column<ActionView>[] = [
  { title: 'ACTION', value: view => view.actionId },
  { title: 'WHAT', value: view => view.action },
  { title: 'STATUS', value: view => view.status },
  { title: 'TOTAL', value: view => String(view.total) },
  { title: 'DONE', value: view => String(view.succeeded) },
  { title: 'FAILED', value: view => String(view.failed) },
  { title: 'SKIPPED', value: view => String(view.skipped) },
  { title: 'OPERATOR', value: view => view.operator, flexible: true },
  timeColumn('BEGUN', view => view.createdAt),
]
