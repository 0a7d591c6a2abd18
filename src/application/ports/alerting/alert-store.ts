import type { Page } from '../reading/command-queries.ts'

/** What an alert watches. */
export const alertKinds = ['parked', 'groups', 'lateReplies'] as const
export type AlertKind = (typeof alertKinds)[number]

/** Hours of the day in which nothing is sent, as in 22:00 to 07:00. */
export interface QuietHours {
  /** `HH:MM`. */
  readonly from: string
  readonly to: string
  /** An IANA time zone. */
  readonly timeZone: string
}

/** What an alert is about: the commands of all tenants (`*`), of those without one (`''`), or of one tenant. */
export interface AlertKey {
  readonly scope: string
  readonly name: string
}

/** An alert without its secret. Times are ISO 8601. */
export interface Alert {
  readonly name: string
  readonly url: string
  readonly on: readonly AlertKind[]
  readonly quiet: QuietHours | null
  readonly digestMinutes: number | null
  readonly setBy: string
  readonly setAt: string
  /** When something was last accepted by the receiver. */
  readonly lastSentAt: string | null
  /** Webhooks that wait for their next attempt. */
  readonly waiting: number
  /** Webhooks that were given up. */
  readonly givenUp: number
  /** Why the newest webhook that is not sent failed. */
  readonly lastError: string | null
}

export interface AlertSettings {
  readonly url: string
  /** Undefined: the one that it has. */
  readonly secret: string | undefined
  readonly on: readonly AlertKind[]
  readonly quiet: QuietHours | null
  readonly digestMinutes: number | null
}

/** FAILED: a test that the receiver did not accept; tests are not repeated. */
export type DeliveryStatus = 'PENDING' | 'SENT' | 'FAILED' | 'GIVEN_UP'

/** A webhook that was sent, is to be sent, or was given up. */
export interface AlertDelivery {
  /** The receiver gets it as `idempotency-key`. */
  readonly id: string
  readonly test: boolean
  readonly status: DeliveryStatus
  readonly text: string
  readonly attempts: number
  readonly createdAt: string
  readonly nextAttemptAt: string | null
  readonly endedAt: string | null
  readonly lastError: string | null
}

/** Which deliveries `alerts.sent` returns. */
export interface DeliveryFilter {
  /** 1-500, default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** Where and with what an alert is sent. */
export interface Receiver {
  readonly url: string
  readonly secret: string
}

export interface AlertStore {
  /** The alerts of a scope by name. */
  readonly list: (scope: string) => Promise<readonly Alert[]>
  readonly find: (key: AlertKey) => Promise<Alert | null>
  /** False: it is new and has no secret; nothing was done. */
  readonly set: (key: AlertKey, settings: AlertSettings, by: string) => Promise<boolean>
  /** Gives up what waits. False: there is none. */
  readonly remove: (key: AlertKey) => Promise<boolean>
  readonly receiver: (key: AlertKey) => Promise<Receiver | null>
  /** Newest first. */
  readonly deliveries: (key: AlertKey, filter: DeliveryFilter) => Promise<Page<AlertDelivery>>
  /** Records a test that has ended. */
  readonly recordTest: (key: AlertKey, test: { id: string; body: string; error: string | null }) => Promise<void>
}

/** Sends one webhook; gives null, or why the receiver did not accept it. Never throws. */
export type Post = (receiver: Receiver, id: string, body: string, signal?: AbortSignal) => Promise<string | null>

/** Replies that senders wait for. */
export interface LateReplies {
  readonly total: number
  /** Since when the oldest is waited for; ISO 8601. */
  readonly oldest: string | null
  /** How many are late. */
  readonly late: number
}
