import type { Command } from 'commander'
import { ScheduleNotFoundError } from '../../../application/flow/schedule-errors.ts'
import { type NewSchedule, scheduleNameOf, scheduleSettingsOf } from '../../../application/flow/schedule-input.ts'
import type { Schedule } from '../../../application/flow/schedules.ts'
import { defined, domainOf, limitOf, textOf } from '../../../application/shared/input.ts'
import { type Priority, priorities } from '../../../domain/flow/priority.ts'
import { missedRules, overlapRules } from '../../../domain/flow/schedule/due.ts'
import { createCronTimes } from '../../shared/cron-times.ts'
import { allPages, printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf, operatorOf, readJson } from '../support/input.ts'
import { type Column, fields, pretty, timeColumn, when } from '../text/output.ts'

interface Flags {
  readonly operator?: string
  readonly tenant?: string
  readonly json?: true
}

interface SetFlags extends Flags {
  readonly domain: string
  readonly type: string
  readonly data: string
  readonly cron?: string
  readonly every?: number
  readonly timeZone?: string
  readonly missed?: NewSchedule['missed']
  readonly maxMissed?: number
  readonly overlap?: NewSchedule['overlap']
  readonly replyTo?: string
  readonly priority?: Priority
  readonly key?: string
}

interface ListFlags extends Flags {
  readonly domain?: string
  readonly limit?: number
  readonly cursor?: string
}

/** `schedules`: commands at the times of a cron, or every so many seconds. */
export const addSchedules = (program: Command, deps: CliDeps): void => {
  const schedules = program
    .command('schedules')
    .description('commands at the times of a cron, or every so many seconds')
  addSet(schedules, deps)

  withJson(schedules.command('list').description('schedules by name'))
    .option('--domain <domain>', 'only of this domain')
    .option('--limit <n>', 'how many at most, 1-500', numberOf('--limit'))
    .option('--cursor <cursor>', 'the next page')
    .option(...allPages)
    .action(async (flags: ListFlags) => {
      const { limit, cursor, domain } = flags
      const filter = {
        ...defined({ limit, cursor, domain, tenantId: tenantOf(flags) }),
        ...(limit === undefined ? {} : { limit: limitOf(limit) }),
        ...(domain === undefined ? {} : { domain: domainOf(domain) }),
      }
      await printPage(deps, flags, (bus, from) => bus.schedules.list({ ...filter, ...from }), columns, 'No schedules.')
    })

  withJson(named(schedules, 'show', 'one schedule: what, when, its next times and the last one')).action(
    async (given: string, flags: Flags) => {
      const name = scheduleNameOf(given)
      await printAnswer(deps, flags, async bus => {
        const found = await bus.schedules.get(name, scopeOf(flags))
        if (found === null) throw new ScheduleNotFoundError(name)
        return [found, textOfSchedule(found)]
      })
    },
  )

  acting(named(schedules, 'delete', 'end a schedule; its name may be used again')).action(
    async (given: string, flags: Flags) => {
      const [name, options] = [scheduleNameOf(given), optionsOf(flags)]
      await printAnswer(deps, flags, async bus => [
        await bus.schedules.delete(name, options),
        `Schedule ${name} is deleted.`,
      ])
    },
  )

  acting(named(schedules, 'pause', 'send nothing until it is resumed'))
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (given: string, flags: Flags & { readonly reason: string }) => {
      const [name, options] = [scheduleNameOf(given), optionsOf(flags)]
      const reason = textOf(flags.reason, 'reason')
      await printAnswer(deps, flags, async bus => [
        await bus.schedules.pause(name, reason, options),
        `Schedule ${name} is paused.`,
      ])
    })

  acting(named(schedules, 'resume', 'go on with the next time')).action(async (given: string, flags: Flags) => {
    const [name, options] = [scheduleNameOf(given), optionsOf(flags)]
    await printAnswer(deps, flags, async bus => {
      const resumed = await bus.schedules.resume(name, options)
      return [resumed, `Schedule ${name} goes on; its next time is ${when(resumed.next[0] ?? null)}.`]
    })
  })

  acting(named(schedules, 'run', 'send its command once more, now')).action(async (given: string, flags: Flags) => {
    const [name, options] = [scheduleNameOf(given), optionsOf(flags)]
    await printAnswer(deps, flags, async bus => {
      const sent = await bus.schedules.run(name, options)
      return [sent, `Sent ${sent.commandType} to ${sent.domain}: command ${sent.commandId}.`]
    })
  })
}

const addSet = (schedules: Command, deps: CliDeps): void => {
  acting(named(schedules, 'set', 'create a schedule, or change it'))
    .requiredOption('--domain <domain>', 'the domain of its commands')
    .requiredOption('--type <type>', 'their type')
    .requiredOption('--data <json>', 'their payload: JSON, @file or - for standard input; up to 1 MiB')
    .option('--cron <cron>', "when: 5 fields, or 6 with seconds, like '30 2 * * 1-5'")
    .option('--time-zone <zone>', 'the time zone of the cron, like Europe/Berlin (default: UTC)')
    .option('--every <seconds>', 'when: every so many seconds, instead of a cron', numberOf('--every'))
    .option(
      '--missed <rule>',
      `when the first time that waits is over a minute old, as nothing ran: ${missedRules.join(', ')} (default: skip)`,
    )
    .option('--max-missed <n>', 'with all: at most so many, 1-1000 (default: 100)', numberOf('--max-missed'))
    .option('--overlap <rule>', `while the command before has not ended: ${overlapRules.join(' or ')} (default: allow)`)
    .option('--reply-to <queue>', 'the queue for the replies')
    .option('--priority <word>', `${priorities.join(', ')}: which commands workers prefer (default: normal)`)
    .option('--key <text>', 'the lane of its commands, up to 200 characters')
    .action(async (given: string, flags: SetFlags) => {
      const [name, options] = [scheduleNameOf(given), optionsOf(flags)]
      const { domain, cron, timeZone, missed, maxMissed, overlap, replyTo, priority, key } = flags
      const settings = {
        domain,
        commandType: flags.type,
        data: await readJson('--data', flags.data),
        ...defined({ cron, timeZone, everySeconds: flags.every, missed, maxMissed, overlap, replyTo, priority, key }),
      }
      // before a server may be started for it
      scheduleSettingsOf(settings, createCronTimes())
      await printAnswer(deps, flags, async bus => {
        const set = await bus.schedules.set(name, settings, options)
        return [set, textOfSchedule(set)]
      })
    })
}

const named = (schedules: Command, action: string, description: string): Command =>
  schedules.command(action).description(description).argument('<name>', 'the name of the schedule')

const withJson = (command: Command): Command =>
  command.option('--tenant <tenant>', 'only of this tenant (default: of all)').option('--json', 'print JSON')

const acting = (command: Command): Command =>
  command
    .option('--operator <name>', 'who you are, for the record (default: your user name)')
    .option('--tenant <tenant>', 'only of this tenant; a new schedule is for it (default: all, and none for a new one)')
    .option('--json', 'print JSON')

const tenantOf = ({ tenant }: Flags): string | undefined =>
  tenant === undefined ? undefined : textOf(tenant, '--tenant', 128)
const scopeOf = (flags: Flags) => defined({ tenantId: tenantOf(flags) })
const optionsOf = (flags: Flags) => ({ operator: operatorOf(flags.operator), ...scopeOf(flags) })

const whenOf = ({ cron, timeZone, everySeconds }: Schedule): string =>
  cron === null ? `every ${everySeconds} s` : `${cron} (${timeZone})`

const columns: readonly Column<Schedule>[] = [
  { title: 'NAME', value: one => one.name },
  { title: 'STATE', value: one => one.status },
  { title: 'WHEN', value: whenOf },
  timeColumn('NEXT', one => one.next[0] ?? null),
  { title: 'COMMAND', value: one => `${one.domain} ${one.commandType}`, flexible: true },
  timeColumn('LAST', one => one.lastTime),
  { title: 'TENANT', value: one => one.tenantId, flexible: true },
]

const textOfSchedule = (one: Schedule): string =>
  fields([
    ['Name', one.name],
    ['State', one.status],
    ['Paused', one.pausedAt === null ? '' : `${when(one.pausedAt)} by ${one.pausedBy}: ${one.pauseReason}`],
    ['When', whenOf(one)],
    ['Command', `${one.domain} ${one.commandType}`],
    ['Missed times', one.missed === 'all' ? `all, at most ${one.maxMissed}` : one.missed],
    ['Overlap', one.overlap],
    ['Replies to', one.replyTo],
    ['Priority', one.priority === 'normal' ? '' : one.priority],
    ['Lane', one.key],
    ['Tenant', one.tenantId],
    ['Created', `${when(one.createdAt)} by ${one.createdBy}`],
    ['Last set', `${when(one.setAt)} by ${one.setBy}`],
    ['Last time', one.lastTime === null ? '' : `${when(one.lastTime)}, command ${one.lastCommandId}`],
    ['Passed over', when(one.lastPassedOver)],
    ['Next', one.next.map(when).join(', ')],
    ['Data', pretty(one.data)],
  ])
