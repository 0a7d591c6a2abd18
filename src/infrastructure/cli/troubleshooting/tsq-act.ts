import { type Command, Option } from 'commander'
import { isToken } from '../../../application/acting/plan-token.ts'
import { textOf } from '../../../application/shared/input.ts'
import { assigneeOf, tagsOf } from '../../../application/troubleshooting/action-details.ts'
import { actionOf } from '../../../application/troubleshooting/action-input.ts'
import type { Acted, BulkActionOptions, OperatorCall } from '../../../application/troubleshooting/operator-options.ts'
import {
  type ActionName,
  type ActionOption,
  actionNamed,
  actionNames,
  optionsOf,
  type ParkedAction,
  parkedActionNames,
} from '../../../domain/command/operator-actions.ts'
import type { Json } from '../../../domain/json/json.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { instantAhead, operatorOf, readJson } from '../support/input.ts'
import { rehearsalProcess } from '../support/rehearsal-source.ts'
import { withBus } from '../support/session.ts'
import { actionPlanText, planText } from '../text/dry-run-text.ts'
import { print, printJson } from '../text/output.ts'
import { actOnEach, targetsOf } from './bulk.ts'
import { type BulkFlags, bulkFilterOf, bulkFlags } from './bulk-filter.ts'
import { addCampaignFlags, type CampaignFlags, campaignIn } from './campaign-flags.ts'
import { carryOut } from './carry-out.ts'
import { atTerminal, confirm, startConfirmed } from './confirm.ts'

interface Flags extends BulkFlags, CampaignFlags {
  readonly dryRun?: true
  readonly plan?: string
  readonly yes?: true
  readonly operator?: string
  readonly json?: true
  /** Of a retry. */
  readonly handlers?: string
}

/** At a terminal, cancel and complete of many can be undone for so long. */
const UNDO_SECONDS = 10

/** Adds `tsq retry`, `tsq cancel` and the others: a command for each operator action. */
export const addOperatorActions = (tsq: Command, deps: CliDeps): void => {
  for (const name of actionNames) addAction(tsq, deps, name)
}

const isParkedAction = (name: ActionName): name is ParkedAction => parkedActionNames.some(known => known === name)

const addAction = (tsq: Command, deps: CliDeps, name: ActionName): void => {
  const { path, about, done } = actionNamed(name)
  const command = tsq.command(path).description(about)
  if (isParkedAction(name)) {
    command
      .argument('[ids...]', 'the ids of the commands; or choose them with flags')
      .option('--domain <domain>', 'where they are; needed when an id is in several; without ids: all of it')
    bulkFlags(command)
    addCampaignFlags(command, name)
  } else {
    command
      .argument('<ids...>', 'the ids of the commands')
      .option('--domain <domain>', 'where they are; needed when an id is in several')
  }
  command
    .option('--dry-run', 'show what would change, and what is in the way; change nothing')
    .option('--plan <token>', 'do exactly what a dry run showed, or nothing when that has changed')
    .option('--yes', 'do not ask before several commands (only at a terminal is asked)')
    .option('--operator <who>', 'who does it, for the audit (default: your user name)')
    .option('--json', 'print JSON')
  for (const [, { flag, about, required, asked }] of optionsOf(name)) {
    if (required || asked) command.requiredOption(flag, about)
    else command.option(flag, about)
  }
  if (name === 'retry') {
    command.option('--handlers <module>', "of --data: refuse what the handler's codec in this ES module refuses")
  }
  command.action(async (ids: string[], flags: Flags) => {
    const filter = isParkedAction(name) ? bulkFilterOf(ids, flags) : null
    const targets = targetsOf(ids, flags.domain)
    const operator = textOf(operatorOf(flags.operator), 'operator', 200)
    for (const [, option] of optionsOf(name)) {
      if (option.single && given(option, flags) !== undefined && targets.ids.length !== 1)
        throw new UsageError(`${longOf(option)} edits one command: name a single id`)
    }
    if (flags.canary !== undefined && filter === null) {
      throw new UsageError('--canary is for many commands: choose them with --error-code and the like')
    }
    const campaign = campaignIn(flags)
    if (filter === null && Object.keys(campaign).length > 0) {
      throw new UsageError(
        '--stages, --rate and the like are for many commands: choose them with --error-code and the like',
      )
    }
    if (flags.plan !== undefined && targets.ids.length > 1) {
      throw new UsageError('--plan is for one command, or for those chosen with --error-code and the like')
    }
    const common = { operator, ...(await optionValues(name, flags)), ...planOf(flags) }
    if (filter !== null) {
      return actOnMany(deps, { action: name as ParkedAction, filter, ...common, ...campaign }, flags)
    }
    if (targets.ids.length > 1 && !flags.dryRun && !flags.yes && atTerminal()) {
      const verb = path.charAt(0).toUpperCase() + path.slice(1)
      await confirm(`${verb} ${targets.ids.length} commands?`)
    }
    await withBus(
      deps,
      ({ bus }) => {
        const call = bus.troubleshooting[name] as OperatorCall<object, Acted<string>>
        return actOnEach(
          bus,
          targets,
          flags,
          (domain, id) => call(domain, id, { ...common, ...(flags.dryRun ? { dryRun: true } : {}) }),
          one => (one.dryRun === undefined ? done(one) : planText(one.dryRun, one.planToken)),
        )
      },
      flags.handlers === undefined ? {} : { rehearsals: rehearsalProcess(deps, flags) },
    )
  })
}

/** Checks the flags, then starts an action on many commands and carries it out. */
const actOnMany = async (deps: CliDeps, options: BulkActionOptions, flags: Flags): Promise<void> => {
  actionOf(options, new Date().toISOString())
  await withBus(deps, async ({ bus }) => {
    if (!flags.dryRun) {
      const action = { ...undoOf(options.action), ...options }
      const asks = !flags.yes && atTerminal()
      return carryOut(bus, await (asks ? startConfirmed(bus, action) : bus.actions.start(action)), flags)
    }
    const plan = await bus.actions.dryRun(options)
    if (flags.json) printJson(plan)
    else print(actionPlanText(plan))
  })
}

const planOf = ({ plan }: Flags): { readonly planToken?: string } => {
  if (plan === undefined) return {}
  if (!isToken(plan)) throw new UsageError('--plan must be what a dry run printed after it')
  return { planToken: plan }
}

const undoOf = (action: ParkedAction): { readonly undoSeconds?: number } =>
  (action === 'cancel' || action === 'complete') && atTerminal() ? { undoSeconds: UNDO_SECONDS } : {}

const longOf = ({ flag }: ActionOption): string => new Option(flag).long ?? flag

const given = ({ flag }: ActionOption, flags: Flags): unknown => Reflect.get(flags, new Option(flag).attributeName())

/** Reads an action's options from the flags. @throws InvalidInputError, UsageError */
const optionValues = async (name: ActionName, flags: Flags): Promise<{ readonly [option: string]: Json }> => {
  const values: Record<string, Json> = {}
  for (const [option, its] of optionsOf(name)) {
    const text = given(its, flags)
    if (text !== undefined) values[option] = await readOption(option, its, text)
  }
  return values
}

const tagList = (text: string): readonly string[] => (text.trim() === '' ? [] : text.split(','))

const readOption = async (name: string, option: ActionOption, given: unknown): Promise<Json> => {
  switch (option.kind) {
    case 'text':
      return textOf(given, name, option.max)
    case 'json':
      return readJson(longOf(option), String(given))
    case 'boolean':
      return option.usual !== true
    case 'instant':
      return instantAhead(longOf(option), String(given))
    case 'person':
      return assigneeOf(given === '' ? null : given, longOf(option), option.max)
    case 'tags':
      return [...tagsOf(tagList(String(given)), longOf(option))]
  }
}
