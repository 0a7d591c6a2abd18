import { Gauge, type Registry } from 'prom-client'
import type { DatabaseStats } from '../postgres/stats/database-stats.ts'

/** Gauges of the database's counts. All processes report the same values: use those of one. */
export const createDatabaseGauges = (registers: Registry[]) => {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> =>
    new Gauge({ name: `commandbus_${name}`, help, labelNames, registers, aggregator: 'first' })

  const up = gauge('database_up', 'Whether the database answered the last scrape.')
  const depth = gauge('queue_depth', 'Messages on a queue, visible or not.', ['queue'])
  const visible = gauge('queue_visible', 'Messages on a queue that could be read now.', ['queue'])
  const age = gauge('queue_oldest_message_seconds', 'Age of the oldest message on a queue.', ['queue'])
  const strangers = gauge(
    'queue_strangers',
    'Messages that no command of this bus sent and that wait for an operator.',
    ['queue'],
  )
  const parked = gauge('parked_commands', 'Commands in troubleshooting.', ['domain'])
  const workers = gauge('workers', 'Workers that announced themselves within the last 20 s and take commands.', [
    'domain',
  ])
  const unhandled = gauge(
    'unhandled_commands',
    'Commands that could begin now and that no worker is there for, counted up to 1,000.',
    ['domain'],
  )
  const undelivered = gauge(
    'undelivered_replies',
    'Replies that could not be delivered and are kept, counted up to 10,000.',
  )
  const owed = gauge('owed_replies', 'Unfinished commands whose senders wait for a reply.')
  const late = gauge('late_replies', 'Those of them that wait longer than COMMANDBUS_LATE_REPLY_SECONDS.')
  const oldestOwed = gauge('oldest_owed_reply_seconds', 'How long the first of these senders has waited.')
  const lag = gauge('feed_lag_seconds', 'Age of the oldest event that readers of the feed cannot see yet.')
  const transaction = gauge('oldest_transaction_seconds', 'Age of the oldest open transaction.')
  const writer = gauge(
    'oldest_writer_seconds',
    'Age of the oldest open transaction that has written, which holds up the feed.',
  )
  const labelled: readonly Gauge<string>[] = [depth, visible, age, strangers, parked, workers, unhandled]
  const single = [undelivered, owed, late, oldestOwed, lag, transaction, writer]

  return {
    set: (stats: DatabaseStats): void => {
      for (const one of labelled) one.reset()
      up.set(1)
      for (const { queue, depth: messages, visible: ready, oldestAgeSeconds, strangers: strange } of stats.queues) {
        depth.set({ queue }, messages)
        visible.set({ queue }, ready)
        age.set({ queue }, oldestAgeSeconds ?? 0)
        strangers.set({ queue }, strange)
      }
      for (const { domain, count } of stats.parked) parked.set({ domain }, count)
      for (const [domain, count] of stats.workers) workers.set({ domain }, count)
      for (const [domain, count] of stats.unhandled) unhandled.set({ domain }, count)
      undelivered.set(stats.undeliveredReplies)
      owed.set(stats.owedReplies.total)
      late.set(stats.owedReplies.late)
      oldestOwed.set(stats.owedReplies.oldestSeconds)
      lag.set(stats.feed.lagSeconds)
      transaction.set(stats.oldestTransactionSeconds)
      writer.set(stats.feed.oldestWriterSeconds)
    },
    /** Removes all values, as old ones would be wrong. */
    clear: (): void => {
      for (const one of labelled) one.reset()
      for (const one of single) one.remove()
      up.set(0)
    },
  }
}
