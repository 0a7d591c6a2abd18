import type { Command } from 'commander'
import type { AuditEntry, CommandDetail, CommandView } from '../../../application/ports/reading/command-queries.ts'
import { CommandNotFoundError } from '../../../application/shared/errors.ts'
import { auditTypeOf, domainOf } from '../../../application/shared/input.ts'
import { auditWords } from '../../../domain/command/audit-names.ts'
import { pendingTimes, runningSince } from '../../../domain/command/columns.ts'
import type { ErrorCause } from '../../../domain/command/events.ts'
import { commandStatuses } from '../../../domain/command/transitions.ts'
import { attemptsText } from '../text/attempts-text.ts'
import { traceLines } from '../text/error-text.ts'
import { type Column, fields, plain, pretty, table, timeColumn, when } from '../text/output.ts'
import { allPages, printAnswer, printPage } from './answer.ts'
import type { CliDeps } from './deps.ts'
import { type CommandFilterOptions, commandFilterOf } from './filters.ts'
import { numberOf } from './input.ts'
import { idOrBeginning, whichDomain, wholeId } from './which-domain.ts'

interface OneOptions {
  readonly domain?: string
  readonly json?: true
}

interface AuditOptions extends OneOptions {
  readonly event?: string
}

/** `show`, `list` and `audit`: they change nothing. */
export const addInspect = (program: Command, deps: CliDeps): void => {
  program
    .command('show')
    .description('show one command with its data and result')
    .argument('<id>', 'the id of the command, or its first 8 characters or more')
    .option('--domain <domain>', 'the domain of the command; needed if several have this id')
    .option('--attempts', 'also its attempts: when, how long, by which worker, with which error')
    .option('--json', 'print JSON')
    .action(async (given: string, options: OneOptions & { readonly attempts?: true }) => {
      const { beginning, domain } = oneCommand(given, options)
      await printAnswer(deps, options, async bus => {
        const id = await wholeId(bus, beginning, domain)
        const where = await whichDomain(bus, id, domain)
        const command = await bus.getCommand(where, id)
        if (command === null) throw new CommandNotFoundError(where, id)
        if (options.attempts) {
          const attempts = await bus.getAttempts(where, id)
          return [{ command, attempts }, [details(command), attemptsText(attempts)].join('\n\n')]
        }
        const trail = options.json || command.lastErrorCode === null ? [] : await bus.getAuditTrail(where, id)
        return [command, [details(command), ...traces(trail).slice(-1)].join('\n\n')]
      })
    })

  program
    .command('list')
    .description('list commands, newest first')
    .option('--domain <domain>', 'only this domain')
    .option('--status <status>', commandStatuses.join(', '))
    .option('--type <type>', 'only this command type')
    .option('--error-code <code>', 'only if the last error has this code')
    .option('--correlation-id <text>', 'only this correlation id')
    .option('--created-after <time>', 'sent at or after this ISO 8601 time')
    .option('--created-before <time>', 'sent before this ISO 8601 time')
    .option('--scheduled', 'only those that wait for the time at which they are to run')
    .option('--retrying', 'only those that wait for their next attempt')
    .option(
      '--data-where <path=value>',
      'only with this value in the payload; `search declare` makes a path searchable',
    )
    .option('--id-prefix <text>', 'only if the id begins so: 8 characters or more')
    .option('--message <text>', 'only if the last error says this; with --status failed')
    .option('--sort <order>', 'newest (default) or oldest first')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'continue after the previous page')
    .option(...allPages)
    .option('--json', 'print JSON')
    .action(async (options: CommandFilterOptions & { readonly json?: true }) => {
      const filter = commandFilterOf(options)
      const columns = filter.scheduled ? scheduledColumns : listColumns
      await printPage(deps, options, (bus, from) => bus.queryCommands({ ...filter, ...from }), columns, 'No commands.')
    })

  program
    .command('audit')
    .description('show what happened to a command, oldest first')
    .argument('<id>', 'the id of the command, or its first 8 characters or more')
    .option('--domain <domain>', 'the domain of the command; needed if several have this id')
    .option('--event <type>', `only ${auditWords.join(', ')}`)
    .option('--json', 'print JSON')
    .action(async (given: string, options: AuditOptions) => {
      const { beginning, domain } = oneCommand(given, options)
      const filter = options.event === undefined ? {} : { eventType: auditTypeOf(options.event.toUpperCase()) }
      await printAnswer(deps, options, async bus => {
        const id = await wholeId(bus, beginning, domain)
        const found = domain === undefined ? await bus.findCommand(id) : []
        const where = domain ?? (found.length === 0 ? undefined : await whichDomain(bus, id, domain))
        const items = where === undefined ? [] : await bus.getAuditTrail(where, id, filter)
        const isUnknown = where === undefined || options.event === undefined
        const none = isUnknown ? `No events: there is no command ${id}.` : 'No such events.'
        return [{ items }, items.length === 0 ? none : [table(items, auditColumns), ...traces(items)].join('\n\n')]
      })
    })
}

const oneCommand = (given: string, options: OneOptions) => ({
  beginning: idOrBeginning(given),
  domain: options.domain === undefined ? undefined : domainOf(options.domain),
})

const listColumns: readonly Column<CommandView>[] = [
  { title: 'COMMAND', value: command => command.commandId },
  { title: 'DOMAIN', value: command => command.domain, spare: true },
  { title: 'TYPE', value: command => command.commandType, flexible: true },
  { title: 'STATUS', value: command => command.status },
  { title: 'ATTEMPTS', value: command => `${command.attempts}/${command.maxAttempts}`, spare: true },
  timeColumn('CREATED', command => command.createdAt),
  { title: 'LAST ERROR', value: lastError, flexible: true },
]

const scheduledColumns: readonly Column<CommandView>[] = [
  ...listColumns.filter(({ title }) => title !== 'LAST ERROR' && title !== 'ATTEMPTS'),
  timeColumn('RUNS AT', command => command.runAt),
]

const auditColumns: readonly Column<AuditEntry>[] = [
  timeColumn('TIME', entry => entry.ts),
  { title: 'EVENT', value: entry => entry.eventType },
  { title: 'ACTOR', value: entry => entry.actor, flexible: true },
  { title: 'DETAILS', value: detailsText, flexible: true },
]

function lastError({ lastErrorCode, lastErrorMsg }: CommandView): string {
  return lastErrorCode === null ? '' : `${lastErrorCode}: ${lastErrorMsg ?? ''}`
}

/** The details that are set, as `name=value`; the error first, as the end may be cut. */
function detailsText({ details }: AuditEntry): string {
  const isOfError = ([name]: readonly [string, unknown]): boolean => name.startsWith('error')
  const set = Object.entries(details ?? {}).filter(
    ([name, value]) => value !== null && value !== false && name !== 'error_stack' && name !== 'error_causes',
  )
  return [...set.filter(isOfError), ...set.filter(entry => !isOfError(entry))]
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(' ')
}

/** The stacks of failures, each under its event. */
const traces = (entries: readonly AuditEntry[]): readonly string[] =>
  entries.flatMap(({ ts, eventType, details }) => {
    const { error_stack: stack, error_causes: causes } = (details ?? {}) as {
      readonly error_stack?: string
      readonly error_causes?: readonly ErrorCause[]
    }
    const lines = traceLines({ ...(stack === undefined ? {} : { stack }), ...(causes === undefined ? {} : { causes }) })
    return lines.length === 0 ? [] : [[`${eventType} ${when(ts)}`, ...lines.map(line => `  ${line}`)].join('\n')]
  })

const waitsFor = ({ lane, place, waitsFor: first }: CommandDetail): string =>
  place === undefined ? '' : `${first ?? 'another command'} of lane ${lane}, place ${place}`

const details = (command: CommandDetail): string =>
  [
    fields([
      ['Command', command.commandId],
      ['Domain', command.domain],
      ['Type', command.commandType],
      ['Status', command.status],
      ['Attempts', `${command.attempts} of ${command.maxAttempts} (${command.totalAttempts} in total)`],
      ['Parked', command.parkedAt === null ? '' : `${when(command.parkedAt)}, ${command.parkedReason}`],
      ['Last error', lastError(command)],
      ['Priority', command.priority === 'normal' ? '' : command.priority],
      ['Lane', command.lane],
      ['Not before', when(command.runAt)],
      ['Expires', when(command.expiresAt)],
      ['Running since', when(runningSince(command))],
      ...pendingTimes.map(([name, label]) => [label, when(command[name])] as const),
      ['Assignee', command.assignee],
      ['Tags', command.tags.join(', ')],
      ['Notes', command.notes === 0 ? '' : `${command.notes}, in the audit`],
      ['Waits for', waitsFor(command)],
      ['Message', command.msgId === null ? '' : `${command.msgId} on ${command.queueName}`],
      ['Reply to', command.replyTo],
      ['Correlation', command.correlationId],
      ['Causation', command.causationId],
      ['Tenant', command.tenantId],
      ['Owner', command.ownerId],
      ['Created', when(command.createdAt)],
      ['Updated', when(command.updatedAt)],
    ]),
    `Data\n${pretty(command.data)}`,
    ...(command.result === null ? [] : [`Result\n${pretty(command.result)}`]),
  ].join('\n\n')
