import type { Command } from 'commander'
import type { ParkedAtOptions } from '../../../application/investigation/investigate.ts'
import type { TroubleshootingGroup, TroubleshootingItem } from '../../../application/ports/reading/command-queries.ts'
import { instantOf, textOf } from '../../../application/shared/input.ts'
import { actionOf, type BulkActionOptions } from '../../../application/troubleshooting/action-input.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { type TroubleshootingFilterOptions, troubleshootingFilterOf } from '../support/filters.ts'
import { numberOf, operatorOf, readJson } from '../support/input.ts'
import { more } from '../support/inspect.ts'
import { withBus } from '../support/session.ts'
import { cutNote, payloadText } from '../text/cut-payload.ts'
import { actionPlanText, planText } from '../text/dry-run-text.ts'
import { type Column, print, printJson, table, when } from '../text/output.ts'
import { actOnEach, type Done, targetsOf } from './bulk.ts'
import { type BulkFlags, bulkFilterOf, bulkFlags } from './bulk-filter.ts'
import { carryOut } from './carry-out.ts'
import { rehearsalProcess } from './rehearse.ts'
import { addActions } from './tsq-actions.ts'
import { addEndAttempt } from './tsq-end-attempt.ts'

interface ActOptions extends BulkFlags {
  readonly dryRun?: true
  readonly operator?: string
  readonly json?: true
}

interface RetryOptions extends ActOptions {
  readonly keepAttempts?: true
  readonly data?: string
  readonly canary?: number
  readonly handlers?: string
}

/** `tsq`: what is parked, and what an operator does about it. */
export const addTroubleshooting = (program: Command, deps: CliDeps): void => {
  const tsq = program.command('tsq').description('look after commands in troubleshooting')
  addLists(tsq, deps)
  addActions(tsq, deps)
  addEndAttempt(tsq, deps)

  /** Checks, then starts an action on many commands and carries it out. */
  const actOnMany = async (asked: BulkActionOptions, options: ActOptions): Promise<void> => {
    actionOf(asked)
    await withBus(deps, async ({ bus }) => {
      if (!options.dryRun) return carryOut(bus, await bus.actions.start(asked), options)
      const plan = await bus.actions.dryRun(asked)
      if (options.json) printJson(plan)
      else print(actionPlanText(plan))
    })
  }

  actCommand(tsq, 'retry', 'send parked commands again')
    .option('--keep-attempts', 'go on counting attempts instead of starting anew')
    .option('--data <json>', 'an edited payload: JSON, @file or - for standard input (one command only)')
    .option('--handlers <module>', "of --data: refuse what the handler's codec in this ES module refuses")
    .option('--canary <n>', 'of many: retry so many first, and the rest when they have completed', numberOf('--canary'))
    .action(async (ids: string[], options: RetryOptions) => {
      const filter = bulkFilterOf(ids, options)
      const targets = targetsOf(ids, options.domain)
      const operator = textOf(operatorOf(options.operator), 'operator', 200)
      if (options.data !== undefined && targets.ids.length !== 1) {
        throw new UsageError('--data edits one command: name a single id')
      }
      if (options.canary !== undefined && filter === null) {
        throw new UsageError('--canary is for many commands: choose them with --error-code and the like')
      }
      const edited = options.data === undefined ? {} : { data: await readJson('--data', options.data) }
      const resetAttempts = options.keepAttempts !== true
      const dry = dryOf(options)
      const checks = options.handlers === undefined ? {} : { rehearsals: rehearsalProcess(deps, options) }
      if (filter !== null) {
        const canary = options.canary === undefined ? {} : { canary: options.canary }
        return actOnMany({ action: 'retry', filter, operator, resetAttempts, ...canary }, options)
      }
      await withBus(
        deps,
        ({ bus }) =>
          actOnEach(
            bus,
            targets,
            options,
            (domain, id) => bus.troubleshooting.retry(domain, id, { operator, resetAttempts, ...edited, ...dry }),
            done => doneText(done, `Command ${done.commandId} is ${done.status} again, as message ${done.msgId}.`),
          ),
        checks,
      )
    })

  actCommand(tsq, 'cancel', 'end parked commands and tell their senders why')
    .requiredOption('--reason <text>', 'goes into the reply')
    .action(async (ids: string[], options: ActOptions & { readonly reason: string }) => {
      const filter = bulkFilterOf(ids, options)
      const targets = targetsOf(ids, options.domain)
      const operator = textOf(operatorOf(options.operator), 'operator', 200)
      const reason = textOf(options.reason, 'reason')
      const dry = dryOf(options)
      if (filter !== null) return actOnMany({ action: 'cancel', filter, operator, reason }, options)
      await withBus(deps, ({ bus }) =>
        actOnEach(
          bus,
          targets,
          options,
          (domain, id) => bus.troubleshooting.cancel(domain, id, { operator, reason, ...dry }),
          done => doneText(done, `Command ${done.commandId} is ${done.status}.`),
        ),
      )
    })

  actCommand(tsq, 'complete', 'declare parked commands done')
    .option('--result <json>', 'goes into the reply: JSON, @file or - for standard input (default: null)')
    .action(async (ids: string[], options: ActOptions & { readonly result?: string }) => {
      const filter = bulkFilterOf(ids, options)
      const targets = targetsOf(ids, options.domain)
      const operator = textOf(operatorOf(options.operator), 'operator', 200)
      const dry = dryOf(options)
      const resultData = options.result === undefined ? null : await readJson('--result', options.result)
      if (filter !== null) return actOnMany({ action: 'complete', filter, operator, resultData }, options)
      await withBus(deps, ({ bus }) =>
        actOnEach(
          bus,
          targets,
          options,
          (domain, id) => bus.troubleshooting.complete(domain, id, { operator, resultData, ...dry }),
          done => doneText(done, `Command ${done.commandId} is ${done.status}.`),
        ),
      )
    })
}

const actCommand = (tsq: Command, name: string, description: string): Command =>
  bulkFlags(
    tsq
      .command(name)
      .description(description)
      .argument('[ids...]', 'the ids of the commands; or choose them with flags')
      .option('--domain <domain>', 'where they are; needed when an id is in several; without ids: all of it'),
  )
    .option('--dry-run', 'show what would change, and what is in the way; change nothing')
    .option('--operator <who>', 'who does it, for the audit (default: your user name)')
    .option('--json', 'print JSON')

const dryOf = ({ dryRun }: ActOptions) => (dryRun ? { dryRun } : {})

const doneText = ({ dryRun }: Done, text: string): string => (dryRun === undefined ? text : planText(dryRun))

const filtered = (command: Command): Command =>
  command
    .option('--domain <domain>', 'of this domain')
    .option('--type <type>', 'of this command type')
    .option('--error-code <code>', 'whose last error has this code')
    .option('--from <time>', 'parked at or after this ISO 8601 time')
    .option('--to <time>', 'parked before this ISO 8601 time')
    .option('--json', 'print JSON')

const addLists = (tsq: Command, deps: CliDeps): void => {
  filtered(tsq.command('list').description('list what is parked, newest first'))
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'go on where the page before ended')
    .option('--at <time>', 'as it was at this ISO 8601 time')
    .action(async (options: TroubleshootingFilterOptions & { readonly at?: string; readonly json?: true }) => {
      const filter = troubleshootingFilterOf(options)
      if (options.at !== undefined) return listAt(deps, { ...filter, at: instantOf(options.at, '--at') }, options)
      await withBus(deps, async ({ bus }) => {
        const page = await bus.troubleshooting.list(filter)
        if (options.json) printJson(page)
        else if (page.items.length === 0) print('Nothing is parked.')
        else
          print(
            `${table(page.items, itemColumns)}\n\n${page.total} in all${cutNote(page.items)}${more(page.nextCursor)}`,
          )
      })
    })

  filtered(tsq.command('groups').description('count what is parked by domain, type and error code')).action(
    async (options: TroubleshootingFilterOptions & { readonly json?: true }) => {
      const filter = troubleshootingFilterOf(options)
      await withBus(deps, async ({ bus }) => {
        const items = await bus.troubleshooting.groups(filter)
        if (options.json) printJson({ items })
        else print(items.length === 0 ? 'Nothing is parked.' : table(items, groupColumns))
      })
    },
  )
}

const listAt = (deps: CliDeps, filter: ParkedAtOptions, { json }: { readonly json?: true }): Promise<void> =>
  withBus(deps, async ({ bus }) => {
    const page = await bus.troubleshooting.listAt(filter)
    if (json) printJson(page)
    else if (page.items.length === 0) print(`Nothing was parked at ${page.at}.${more(page.nextCursor)}`)
    else
      print(
        `${table(page.items, itemColumns)}\n\nAs it was at ${page.at}${cutNote(page.items)}${more(page.nextCursor)}`,
      )
  })

const itemColumns: readonly Column<TroubleshootingItem>[] = [
  { title: 'COMMAND', value: item => item.commandId },
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'TYPE', value: item => item.commandType, flexible: true },
  { title: 'REASON', value: item => item.parkedReason },
  { title: 'ERROR', value: item => `${item.lastErrorCode}: ${item.lastErrorMsg ?? ''}`, flexible: true },
  { title: 'ATTEMPTS', value: item => `${item.attempts}/${item.maxAttempts}` },
  { title: 'PAYLOAD', value: payloadText, flexible: true },
]

const groupColumns: readonly Column<TroubleshootingGroup>[] = [
  { title: 'COUNT', value: group => String(group.count) },
  { title: 'DOMAIN', value: group => group.domain },
  { title: 'TYPE', value: group => group.commandType, flexible: true },
  { title: 'ERROR CODE', value: group => group.errorCode, flexible: true },
  { title: 'FIRST', value: group => when(group.first) },
  { title: 'LAST', value: group => when(group.last) },
  { title: 'SAMPLE', value: group => group.sample, flexible: true },
]
