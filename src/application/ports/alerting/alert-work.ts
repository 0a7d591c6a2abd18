import type { AlertKey, AlertKind, LateReplies, QuietHours, Receiver } from './alert-store.ts'

/** One thing that is wrong: a cause, a domain with parked commands, or replies that are late. Times are ISO 8601. */
export interface Fact {
  readonly kind: AlertKind
  readonly domain: string | null
  readonly commandType: string | null
  readonly errorCode: string | null
  readonly count: number
  readonly first: string
  /** The newest failure. */
  readonly last: string
}

/** A fact that an alert knows already. */
export interface Subject {
  readonly facts: Fact
  readonly lastAt: string
  /** Since when it waits to be sent; null: it was sent. */
  readonly pendingSince: string | null
}

/** An alert as its runner sees it. */
export interface AlertRule extends AlertKey {
  readonly on: readonly AlertKind[]
  readonly quiet: QuietHours | null
  readonly digestMinutes: number | null
}

/** A webhook whose next attempt is under way. */
export interface Attempt extends AlertKey, Receiver {
  readonly id: string
  readonly body: string
  /** 1 for the first. */
  readonly attempt: number
}

/** How an attempt ended: `error` is null if the receiver accepted it; `last`: it is not tried again. */
export interface AttemptOutcome {
  readonly id: string
  readonly attempt: number
  readonly error: string | null
  readonly last: boolean
}

/** What the one process that sends alerts reads and writes. */
export interface AlertWork {
  /** The database's clock; ISO 8601. */
  readonly now: () => Promise<string>
  readonly rules: () => Promise<readonly AlertRule[]>
  /** The causes of the parked commands that are in alarm: neither snoozed nor under investigation. */
  readonly causes: (scope: string) => Promise<readonly Fact[]>
  readonly lateReplies: () => Promise<LateReplies>
  /** Runs `change` in a transaction; not at all for an alert that was deleted meanwhile. */
  readonly changing: (rule: AlertRule, change: (writes: AlertWrites) => Promise<void>) => Promise<void>
  /**
   * Counts and returns the next attempt of at most one webhook of each alert that has none under way, few of one receiver. It is due
   * again after `waitsMs` of that attempt, so that a process that dies in between only delays it.
   */
  readonly begin: (waitsMs: readonly number[], underWay?: readonly Attempt[]) => Promise<readonly Attempt[]>
  readonly end: (outcomes: readonly AttemptOutcome[]) => Promise<void>
  /** Forgets what has ended 30 days ago. */
  readonly clean: () => Promise<void>
}

export interface AlertWrites {
  readonly known: () => Promise<ReadonlyMap<string, Subject>>
  readonly put: (subjects: readonly (readonly [key: string, subject: Subject])[]) => Promise<void>
  readonly drop: (keys: readonly string[]) => Promise<void>
  /** Adds webhooks, each about some subjects, which no longer wait then. */
  readonly add: (
    webhooks: readonly { readonly id: string; readonly body: string; readonly keys: readonly string[] }[],
  ) => Promise<void>
}
