import type { OpenedMessage, WorkItem } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery, Queue } from '../../application/ports/queue.ts'
import { logFailure } from './attempt/attempt-log.ts'
import type { Reporter } from './attempt/reporter.ts'
import type { Pausing } from './flow/pausing.ts'
import type { createStrangerKeeper } from './strangers/stranger-keeper.ts'
import type { createSuspects } from './suspects.ts'

export interface AcceptDeps {
  readonly queue: Pick<Queue, 'archive' | 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly strangers: ReturnType<typeof createStrangerKeeper>
  readonly reporter: Reporter
  readonly suspects: ReturnType<typeof createSuspects>
  readonly pausing: Pick<Pausing, 'holds' | 'putAway'>
  readonly log: Log
  /** Receives the work items. */
  readonly take: (job: WorkItem) => void
}

/** How long a message stays hidden when its command's events cannot be read. */
const UNREADABLE_MS = 30_000

/** Passes work items on to `take`, and settles all other messages. */
export const createAccept = ({ queue, name, strangers, reporter, suspects, pausing, log, take }: AcceptDeps) => {
  /** Messages that cannot be settled now go back to the queue. */
  const orHandBack = async (deliveries: readonly Delivery[], putAway: () => Promise<void>): Promise<void> => {
    if (deliveries.length === 0) return
    try {
      await putAway()
    } catch (error) {
      await queue.handBack(name, deliveries, { uncount: true, delayMs: UNREADABLE_MS })
      throw error
    }
  }

  const park = ({ key, delivery, turn }: Extract<OpenedMessage, { kind: 'exhausted' | 'tampered' }>): void => {
    reporter
      .report(turn)
      .then(reported => {
        const about = { ...key, msgId: delivery.msgId }
        if (reported.outcome === 'done') logFailure(log, about, reported.events)
      })
      .catch(error => log.error({ err: error, ...key }, 'parking failed; the message comes back'))
  }

  return async (opened: readonly OpenedMessage[]): Promise<void> => {
    const finished: Delivery[] = []
    const strange: Delivery[] = []
    const reasons = new Map<string, string>()
    const apart: Delivery[] = []
    const unreadable: Delivery[] = []
    const paused: WorkItem[] = []
    suspects.saw(opened)
    for (const one of opened) {
      switch (one.kind) {
        case 'work':
          if (pausing.holds(one)) paused.push(one)
          else if (suspects.mayRun(one)) take(one)
          else apart.push(one.delivery)
          break
        case 'tampered':
          log.error(
            {
              security: 'tampered message',
              ...one.key,
              queue: name,
              msgId: one.delivery.msgId,
              differences: one.differences,
            },
            'a message says something else than the log: it does not run, and its command is parked',
          )
          park(one)
          break
        case 'exhausted':
          park(one)
          break
        case 'finished':
          log.debug({ ...one.key, status: one.status }, 'a message of a finished or parked command was archived')
          finished.push(one.delivery)
          break
        case 'unknown':
          strange.push(one.delivery)
          reasons.set(one.delivery.msgId, one.why)
          break
        case 'unreadable':
          log.error(
            { ...one.key, msgId: one.delivery.msgId, why: one.why },
            'a command cannot be read: its message waits for a version that can',
          )
          unreadable.push(one.delivery)
          break
        case 'stale':
          break
      }
    }
    // each by itself, so that a failure costs the others no attempt
    const settled = await Promise.allSettled([
      orHandBack(finished, () =>
        queue.archive(
          name,
          finished.map(({ msgId }) => msgId),
        ),
      ),
      orHandBack(strange, () => strangers.settle(strange, reasons)),
      queue.handBack(name, apart, { uncount: true, delayMs: suspects.pauseMs() }),
      queue.handBack(name, unreadable, { uncount: true, delayMs: UNREADABLE_MS }),
      pausing.putAway(paused),
    ])
    const failed = settled.find(one => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (strange.length === opened.length && strange.length > 0) await strangers.goOn(strange)
  }
}
