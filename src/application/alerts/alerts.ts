import type { Alert, AlertDelivery, AlertKey, AlertStore, DeliveryFilter, Post } from '../ports/alerting/alert-store.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Log } from '../ports/log.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { optional, pagingOf, textOf } from '../shared/input.ts'
import { AlertNotFoundError } from './alert-errors.ts'
import { ALL, type Allowed, alertKeyOf, alertSettingsOf, type NewAlert } from './alert-input.ts'
import { testMessage } from './message.ts'

/** Alerts belong to a tenant, to what has none (`''`), or to everything when `tenantId` is left out. */
export interface AlertOptions extends Scope {
  /** Who does it, for the record. Default `operator`. */
  readonly operator?: string
}

export interface AlertsDeps extends Allowed {
  readonly store: AlertStore
  readonly post: Post
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly publicUrl: string | undefined
  /** Wakes what sends alerts in this process. */
  readonly onChanged: () => void
}

/** The most alerts of a scope: each looks at what is wrong. */
const MOST_ALERTS = 100

/** Webhooks that tell when something is wrong. Their secrets are write-only. */
export const createAlerts = (deps: AlertsDeps) => {
  const { store } = deps
  const found = async (key: AlertKey): Promise<Alert> => {
    const alert = await store.find(key)
    if (alert === null) throw new AlertNotFoundError(key.name)
    return alert
  }
  return {
    /** The alerts by name. */
    list: (options: Scope = {}): Promise<readonly Alert[]> => store.list(alertKeyOf('any', options.tenantId).scope),
    /** @throws AlertNotFoundError */
    get: async (name: string, options: Scope = {}): Promise<Alert> => found(alertKeyOf(name, options.tenantId)),
    /** Creates or changes an alert. What it has reported is not reported again. @throws InvalidInputError */
    set: async (name: string, given: NewAlert, options: AlertOptions = {}): Promise<Alert> => {
      const key = alertKeyOf(name, options.tenantId)
      const settings = alertSettingsOf(given, deps)
      if (key.scope !== ALL && settings.on.includes('lateReplies'))
        throw new InvalidInputError(
          'on',
          'lateReplies is about all tenants: leave it out, or use a token for all of them',
        )
      if ((await store.list(key.scope)).filter(({ name: other }) => other !== key.name).length >= MOST_ALERTS)
        throw new InvalidInputError('name', `there are ${MOST_ALERTS} alerts already: delete one first`)
      const by = optional(options.operator, value => textOf(value, 'operator', 200)) ?? 'operator'
      if (!(await store.set(key, settings, by)))
        throw new InvalidInputError(
          'secret',
          'it is required for a new alert: 16 to 200 characters that the receiver knows, too',
        )
      deps.log.info({ alert: key.name, operator: by }, 'an alert was set')
      deps.onChanged()
      return found(key)
    },
    /** Sends nothing more; what waits is given up. @throws AlertNotFoundError */
    delete: async (name: string, options: AlertOptions = {}): Promise<{ readonly name: string }> => {
      const key = alertKeyOf(name, options.tenantId)
      if (!(await store.remove(key))) throw new AlertNotFoundError(key.name)
      deps.log.info({ alert: key.name, operator: options.operator ?? 'operator' }, 'an alert was deleted')
      return { name: key.name }
    },
    /** Sends a test once, now; `error` says why the receiver did not accept it, or is null. @throws AlertNotFoundError */
    test: async (
      name: string,
      options: Scope = {},
    ): Promise<{ readonly id: string; readonly sent: boolean; readonly error: string | null }> => {
      const key = alertKeyOf(name, options.tenantId)
      const receiver = await store.receiver(key)
      if (receiver === null) throw new AlertNotFoundError(key.name)
      const id = deps.ids.next()
      const at = deps.clock.now().toISOString()
      const body = testMessage({ id, alert: key.name, at, publicUrl: deps.publicUrl })
      const error = await deps.post(receiver, id, body)
      await store.recordTest(key, { id, body, error })
      return { id, sent: error === null, error }
    },
    /** What it has sent, has still to send and has given up, newest first, of the last 30 days. @throws AlertNotFoundError */
    sent: async (name: string, options: Scope & DeliveryFilter = {}): Promise<Page<AlertDelivery>> => {
      const key = alertKeyOf(name, options.tenantId)
      await found(key)
      return store.deliveries(key, pagingOf(options))
    },
  }
}

export type Alerts = ReturnType<typeof createAlerts>
