import { type AlertKey, type AlertKind, alertKinds, type QuietHours } from '../ports/alerting/alert-store.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { oneOf, optional, textOf, wholeOf } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'
import { isTimeZone, minutesOf } from './quiet-hours.ts'

/** What an alert watches, and where it sends its reports. */
export interface NewAlert {
  /** An https address; http and addresses of private networks only where the service allows them. */
  readonly url: string
  /** Signs the webhooks; 16 to 200 characters, and never shown again. A change may leave it out: then it stays. */
  readonly secret?: string
  /**
   * `groups`: each new cause (domain, type and error code) of parked commands. `parked`: each domain in which commands are
   * parked. `lateReplies`: replies that are late. One, or a list.
   */
  readonly on: AlertKind | readonly AlertKind[]
  /** Hours in which nothing is sent; it is sent afterwards. Default: none. */
  readonly quiet?: QuietHours | null
  /** Collects for so many minutes (1 to 1,440), and sends one webhook. Default: each at once. */
  readonly digestMinutes?: number | null
}

/** The scope of alerts about commands of all tenants. */
export const ALL = '*'

export const alertKeyOf = (name: unknown, tenantId: unknown): AlertKey => ({
  scope: optional(tenantId, scopedTenantOf) ?? ALL,
  name: alertNameOf(name),
})

export const alertNameOf = (value: unknown): string => {
  const name = textOf(value, 'name', 100)
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new InvalidInputError('name', 'must be letters, digits, dots, hyphens and underscores, like on-call')
  return name
}

/** Which addresses alerts may be sent to. */
export interface Allowed {
  /** Whether http and addresses of private networks are allowed. */
  readonly allowLocal: boolean
  /** Whether the host is an address of a private network; names are looked up only when something is sent. */
  readonly isLocal: (url: URL) => boolean
}

/** The settings, checked. The address is checked again whenever something is sent to it. @throws InvalidInputError */
export const alertSettingsOf = (given: NewAlert, may: Allowed) => ({
  url: urlOf(given.url, may),
  secret: optional(given.secret, secretOf) ?? undefined,
  on: kindsOf(given.on),
  quiet: optional(given.quiet, quietOf),
  digestMinutes: optional(given.digestMinutes, value => wholeOf(value, 'digestMinutes', 1, 1_440)),
})

const urlOf = (value: unknown, { allowLocal, isLocal }: Allowed): string => {
  const text = textOf(value, 'url', 2_000).trim()
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'https:' && !(allowLocal && url?.protocol === 'http:')) {
    throw new InvalidInputError('url', 'must be an https address, such as https://hooks.example.com/on-call')
  }
  if (url.username !== '' || url.password !== '')
    throw new InvalidInputError('url', 'must have no user and no password: the signature says who sends')
  if (!allowLocal && isLocal(url)) {
    throw new InvalidInputError(
      'url',
      'is of a private network or this machine, to which this service sends nothing: take a public address, or allow them with COMMANDBUS_ALERTS_LOCAL=true',
    )
  }
  return url.href
}

/** Never part of an error. The first word after `secret:` is masked like a secret wherever errors are shown. */
const secretOf = (value: unknown): string => {
  const isGood = typeof value === 'string' && value.length >= 16 && value.length <= 200 && /^[\x21-\x7e]+$/.test(value)
  if (!isGood)
    throw new InvalidInputError(
      'secret',
      'it must be 16 to 200 letters, digits and signs, such as from `openssl rand -hex 32`',
    )
  return value
}

const kindsOf = (value: unknown): readonly AlertKind[] => {
  const given = Array.isArray(value) ? value : [value]
  if (given.length === 0) throw new InvalidInputError('on', `must name one of ${alertKinds.join(', ')}`)
  return [...new Set(given.map(one => oneOf(alertKinds, one, 'on')))]
}

const quietOf = (value: unknown): QuietHours => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidInputError('quiet', 'must be {from, to, timeZone}, like 22:00, 07:00 and Europe/Berlin')
  const { from, to, timeZone } = value as Record<string, unknown>
  const hours = { from: timeOf(from, 'quiet.from'), to: timeOf(to, 'quiet.to'), timeZone: zoneOf(timeZone) }
  if (hours.from === hours.to) throw new InvalidInputError('quiet.to', 'must be another time than quiet.from')
  return hours
}

const timeOf = (value: unknown, field: string): string => {
  const text = textOf(value, field, 5)
  if (minutesOf(text) === null) throw new InvalidInputError(field, 'must be a time of the day like 07:00')
  return text
}

const zoneOf = (value: unknown): string => {
  const name = textOf(value, 'quiet.timeZone', 100)
  if (!isTimeZone(name)) throw new InvalidInputError('quiet.timeZone', 'must be a time zone like Europe/Berlin or UTC')
  return name
}
