import type { Client, Pool } from 'pg'
import { type AlertsDeps, createAlerts } from '../application/alerts/alerts.ts'
import { defined } from '../application/shared/input.ts'
import type { AlertOptionsOfBus } from '../bus-options.ts'
import { isLocalHost } from '../infrastructure/alerts/addresses.ts'
import { createPost } from '../infrastructure/alerts/post.ts'
import { createAlertStore } from '../infrastructure/postgres/alerts/alert-store.ts'
import { createAlertWork } from '../infrastructure/postgres/alerts/alert-work.ts'
import { createAlertRunner } from '../infrastructure/runners/alerts.ts'

export interface AlertingDeps extends Pick<AlertsDeps, 'clock' | 'ids' | 'log'> {
  readonly pool: Pool
  readonly newClient: () => Client
  readonly derivedId: (text: string) => string
  readonly alerting: AlertOptionsOfBus | undefined
  readonly lateAfterSeconds: number
}

/** The longest wait for a receiver's answer. */
const TIMEOUT_MS = 10_000

/** Makes the calls for alerts, and the runner that sends them. */
export const createAlerting = ({ pool, alerting = {}, lateAfterSeconds, ...deps }: AlertingDeps) => {
  const { publicUrl, allowLocal = false, lateReplies, limits } = alerting
  const post = createPost({ allowLocal, timeoutMs: limits?.timeoutMs ?? TIMEOUT_MS })
  const runner = createAlertRunner({
    ...deps,
    pool,
    publicUrl,
    post,
    limits,
    workOn: client => ({ ...createAlertWork(client, lateAfterSeconds), ...defined({ lateReplies }) }),
  })
  const alerts = createAlerts({
    ...deps,
    store: createAlertStore(pool),
    post,
    publicUrl,
    allowLocal,
    isLocal: isLocalHost,
    onChanged: runner.wake,
  })
  return { alerts, runner }
}
