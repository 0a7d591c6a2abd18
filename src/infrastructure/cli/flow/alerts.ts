import type { Command } from 'commander'
import { alertNameOf, alertSettingsOf, type NewAlert } from '../../../application/alerts/alert-input.ts'
import type { Alert, AlertDelivery, AlertKind, QuietHours } from '../../../application/ports/alerting/alert-store.ts'
import { defined, textOf } from '../../../application/shared/input.ts'
import { printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { type Column, fields, table, when } from '../text/output.ts'

interface Flags {
  readonly operator?: string
  readonly tenant?: string
  readonly json?: true
}

interface SetFlags extends Flags {
  readonly url: string
  readonly secretEnv?: string
  readonly on: string
  readonly quiet?: string
  readonly timeZone?: string
  readonly digest?: number
}

/** `alerts`: webhooks that tell when something is wrong. */
export const addAlerts = (program: Command, deps: CliDeps): void => {
  const alerts = program.command('alerts').description('webhooks that tell when something is wrong')

  acting(named(alerts, 'set', 'create an alert, or change it'))
    .requiredOption('--url <url>', 'where to: an https address')
    .requiredOption(
      '--on <kinds>',
      'what about, with commas: groups (each new cause), parked (each domain), lateReplies',
    )
    .option(
      '--secret-env <variable>',
      'the environment variable with the secret that signs (a change may leave it out)',
    )
    .option('--quiet <hours>', 'send nothing then, and afterwards what came up, like 22:00-07:00')
    .option('--time-zone <zone>', 'the time zone of the quiet hours (default: UTC)')
    .option('--digest <minutes>', 'collect so long, and send one webhook: 1-1440', numberOf('--digest'))
    .action(async (given: string, flags: SetFlags) => {
      const [name, alert, options] = [alertNameOf(given), alertOf(deps, flags), optionsOf(flags)]
      // before a server may be started for it; which addresses are allowed, the bus says
      alertSettingsOf(alert, { allowLocal: true, isLocal: () => false })
      await printAnswer(deps, flags, async bus => {
        const set = await bus.alerts.set(name, alert, options)
        return [set, textOfAlert(set)]
      })
    })

  withJson(alerts.command('list').description('the alerts by name')).action(async (flags: Flags) => {
    await printAnswer(deps, flags, async bus => {
      const items = await bus.alerts.list(scopeOf(flags))
      return [{ items }, items.length === 0 ? 'No alerts.' : table(items, columns)]
    })
  })

  withJson(named(alerts, 'show', 'one alert')).action(async (given: string, flags: Flags) => {
    const name = alertNameOf(given)
    await printAnswer(deps, flags, async bus => {
      const alert = await bus.alerts.get(name, scopeOf(flags))
      return [alert, textOfAlert(alert)]
    })
  })

  withJson(named(alerts, 'test', 'send a test once, now')).action(async (given: string, flags: Flags) => {
    const name = alertNameOf(given)
    await printAnswer(deps, flags, async bus => {
      const test = await bus.alerts.test(name, scopeOf(flags))
      return [test, test.sent ? 'The receiver accepted the test.' : `The test was not accepted: ${test.error}.`]
    })
  })

  withJson(named(alerts, 'sent', 'what it has sent, has still to send and has given up, newest first'))
    .option('--limit <n>', 'how many at most, 1-500', numberOf('--limit'))
    .option('--cursor <cursor>', 'the next page')
    .action(async (given: string, flags: Flags & { readonly limit?: number; readonly cursor?: string }) => {
      const [name, { limit, cursor }] = [alertNameOf(given), flags]
      const options = { ...scopeOf(flags), ...defined({ limit, cursor }) }
      await printPage(deps, flags, bus => bus.alerts.sent(name, options), sentColumns, 'Nothing was sent.')
    })

  acting(named(alerts, 'delete', 'end an alert; what waits is given up')).action(
    async (given: string, flags: Flags) => {
      const [name, options] = [alertNameOf(given), optionsOf(flags)]
      await printAnswer(deps, flags, async bus => [await bus.alerts.delete(name, options), `Alert ${name} is deleted.`])
    },
  )
}

const named = (alerts: Command, action: string, description: string): Command =>
  alerts.command(action).description(description).argument('<name>', 'the name of the alert')

const withJson = (command: Command): Command =>
  command
    .option('--tenant <tenant>', 'the alerts of this tenant (default: those about all tenants)')
    .option('--json', 'print JSON')

const acting = (command: Command): Command =>
  withJson(command).option('--operator <name>', 'who you are, for the record (default: your user name)')

const scopeOf = ({ tenant }: Flags) =>
  defined({ tenantId: tenant === undefined ? undefined : textOf(tenant, '--tenant', 128) })
const optionsOf = (flags: Flags) => ({ operator: operatorOf(flags.operator), ...scopeOf(flags) })

const alertOf = (deps: CliDeps, { url, secretEnv, on, quiet, timeZone, digest }: SetFlags): NewAlert => ({
  url,
  on: on.split(',').map(kind => kind.trim() as AlertKind),
  ...(secretEnv === undefined ? {} : { secret: secretIn(deps, secretEnv) }),
  ...(quiet === undefined ? {} : { quiet: hoursOf(quiet, timeZone ?? 'UTC') }),
  ...(digest === undefined ? {} : { digestMinutes: digest }),
})

/** Not a flag of its own, which other users of the machine could read. */
const secretIn = ({ env }: CliDeps, variable: string): string => {
  const secret = env[variable]
  if (secret === undefined) throw new UsageError(`--secret-env names ${variable}, which is not set`)
  return secret
}

const hoursOf = (text: string, timeZone: string): QuietHours => {
  const [, from, to] = /^(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$/.exec(text.trim()) ?? []
  if (from === undefined || to === undefined) throw new UsageError('--quiet must be hours like 22:00-07:00')
  return { from, to, timeZone }
}

const quietText = ({ quiet }: Alert): string => (quiet === null ? '' : `${quiet.from}-${quiet.to} ${quiet.timeZone}`)

const columns: readonly Column<Alert>[] = [
  { title: 'NAME', value: one => one.name },
  { title: 'ON', value: one => one.on.join(', ') },
  { title: 'LAST SENT', value: one => when(one.lastSentAt) },
  { title: 'WAITING', value: one => String(one.waiting) },
  { title: 'GIVEN UP', value: one => String(one.givenUp) },
  { title: 'LAST ERROR', value: one => one.lastError, flexible: true },
]

const sentColumns: readonly Column<AlertDelivery>[] = [
  { title: 'CREATED', value: one => when(one.createdAt) },
  { title: 'STATUS', value: one => (one.test ? `${one.status} (test)` : one.status) },
  { title: 'ATTEMPTS', value: one => String(one.attempts) },
  { title: 'NEXT', value: one => when(one.nextAttemptAt) },
  { title: 'ERROR', value: one => one.lastError, flexible: true },
  { title: 'TEXT', value: one => one.text, flexible: true },
]

const textOfAlert = (one: Alert): string =>
  fields([
    ['Name', one.name],
    ['To', one.url],
    ['About', one.on.join(', ')],
    ['Quiet', quietText(one)],
    ['Digest', one.digestMinutes === null ? '' : `${one.digestMinutes} minutes`],
    ['Set', `${when(one.setAt)} by ${one.setBy}`],
    ['Last sent', when(one.lastSentAt)],
    ['Waiting', one.waiting === 0 ? '' : String(one.waiting)],
    ['Given up', one.givenUp === 0 ? '' : String(one.givenUp)],
    ['Last error', one.lastError],
  ])
