import type { Command } from 'commander'
import type { Pause } from '../../../application/ports/reading/flow-queries.ts'
import { commandIdOf, commandTypeOf, defined, domainOf, instantOf, textOf } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { instantAhead, operatorOf } from '../support/input.ts'
import { type Column, plain, table, timeColumn, when } from '../text/output.ts'

interface PauseFlags {
  readonly reason: string
  readonly type?: string
  readonly tenant?: string
  readonly until?: string
  readonly operator?: string
  readonly json?: true
}

interface ListFlags {
  readonly domain?: string
  readonly at?: string
  readonly json?: true
}

const OPERATOR = 'who you are, for the record (default: your user name)'

/** `pause`, `resume` and `pauses`: what workers do not begin for a while. */
export const addPauses = (program: Command, deps: CliDeps): void => {
  program
    .command('pause')
    .description('keep workers from beginning commands of a domain, a type or a tenant; what runs goes on')
    .argument('<domain>', 'the domain')
    .requiredOption('--reason <text>', 'why; everybody who lists pauses sees it')
    .option('--type <type>', 'only commands of this type')
    .option('--tenant <id>', 'only commands of this tenant')
    .option('--until <when>', 'when it ends by itself: an ISO 8601 time, or a time from now like 30m or 12h')
    .option('--operator <who>', OPERATOR)
    .option('--json', 'print JSON')
    .action(async (given: string, { reason, type, tenant, until, operator, ...flags }: PauseFlags) => {
      const options = {
        domain: domainOf(given),
        reason: textOf(reason, '--reason'),
        operator: operatorOf(operator),
        ...defined({
          commandType: type === undefined ? undefined : commandTypeOf(type),
          tenantId: tenant === undefined ? undefined : textOf(tenant, '--tenant', 128),
          until: until === undefined ? undefined : instantAhead('--until', until),
        }),
      }
      await printAnswer(deps, flags, async bus => {
        const pause = await bus.pause(options)
        const end = pause.until === null ? '' : ` until ${when(pause.until)}`
        return [pause, `Paused${end}. To end it: commandbus resume ${pause.pauseId}`]
      })
    })

  program
    .command('resume')
    .description('end a pause')
    .argument('<id>', 'its id, as `pauses` shows it')
    .option('--operator <who>', OPERATOR)
    .option('--json', 'print JSON')
    .action(async (given: string, { operator: named, json }: { readonly operator?: string; readonly json?: true }) => {
      const pauseId = commandIdOf(given, 'id')
      const operator = operatorOf(named)
      await printAnswer(deps, { json }, async bus => {
        const ended = await bus.resume(pauseId, { operator })
        return [ended, ended.resumedBy === null ? 'It had run out.' : `Resumed by ${plain(ended.resumedBy)}.`]
      })
    })

  program
    .command('pauses')
    .description('list what is paused, by whom and why')
    .option('--domain <domain>', 'only in this domain')
    .option('--at <instant>', 'what was paused then, from the log (ISO 8601)')
    .option('--json', 'print JSON')
    .action(async ({ domain, at, ...flags }: ListFlags) => {
      const filter = defined({
        domain: domain === undefined ? undefined : domainOf(domain),
        at: at === undefined ? undefined : instantOf(at, '--at'),
      })
      await printAnswer(deps, flags, async bus => {
        const items = await bus.pauses(filter)
        return [{ items }, items.length === 0 ? 'Nothing is paused.' : table(items, columns)]
      })
    })
}

const columns: readonly Column<Pause>[] = [
  { title: 'ID', value: pause => pause.pauseId },
  { title: 'DOMAIN', value: pause => pause.domain },
  { title: 'TYPE', value: pause => pause.commandType ?? 'all' },
  { title: 'TENANT', value: pause => pause.tenantId ?? 'all', flexible: true },
  timeColumn('SINCE', pause => pause.pausedAt),
  timeColumn('UNTIL', pause => pause.until),
  { title: 'BY', value: pause => pause.pausedBy, flexible: true },
  { title: 'REASON', value: pause => pause.reason, flexible: true },
]
