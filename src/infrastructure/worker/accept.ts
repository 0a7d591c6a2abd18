import type { OpenedMessage, WorkItem } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import { type Delivery, messageKey, type Queue } from '../../application/ports/queue.ts'
import { logFailure } from './attempt/attempt-log.ts'
import type { Reporter } from './attempt/reporter.ts'
import type { Pausing } from './flow/pausing.ts'
import type { UnknownTypes } from './flow/unknown-types.ts'
import type { createStrangerKeeper } from './strangers/stranger-keeper.ts'
import type { createSuspects } from './suspects.ts'

export interface AcceptDeps {
  readonly queue: Pick<Queue, 'archive' | 'handBack' | 'begin'>
  /** The queue's name. */
  readonly name: string
  readonly strangers: ReturnType<typeof createStrangerKeeper>
  readonly reporter: Reporter
  readonly suspects: ReturnType<typeof createSuspects>
  readonly pausing: Pick<Pausing, 'holds' | 'putAway'>
  readonly unknownTypes: UnknownTypes
  readonly log: Log
  /** Receives the work items. */
  readonly take: (job: WorkItem) => void
}

/** How long a message stays hidden when its command's events cannot be read. */
const UNREADABLE_MS = 30_000

/** Passes work items on to `take`, and settles all other messages. */
export const createAccept = (deps: AcceptDeps) => {
  const { queue, name, strangers, reporter, suspects, pausing, unknownTypes, log, take } = deps
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

  const expire = ({ key, turn }: Extract<OpenedMessage, { kind: 'expired' }>): void => {
    reporter
      .report(turn)
      .then(reported => {
        if (reported.outcome !== 'done' || reported.events.length === 0) return
        log.info({ ...key }, 'canceled: nobody had begun the command by its time')
      })
      .catch(error => log.error({ err: error, ...key }, 'an expired command was not canceled; its message comes back'))
  }

  /** Passes it on, unless it has to wait for another suspect. */
  const run = (job: WorkItem, apart: Delivery[]): void => {
    if (suspects.mayRun(job)) take(job)
    else apart.push(job.delivery)
  }

  /** Only those whose turn it is in their lanes. */
  const runInLanes = async (jobs: readonly WorkItem[]): Promise<void> => {
    if (jobs.length === 0) return
    const deliveries = jobs.map(({ delivery }) => delivery)
    const messages = jobs.map(({ delivery: { queue: of, msgId, delivery }, key: { commandId } }) => ({
      queue: of,
      msgId,
      delivery,
      commandId,
    }))
    let mayBegin: ReadonlySet<string> = new Set()
    await orHandBack(deliveries, async () => {
      mayBegin = await queue.begin(name, messages)
    })
    const apart: Delivery[] = []
    const paused: WorkItem[] = []
    for (const job of jobs) {
      if (!mayBegin.has(messageKey(job.delivery))) continue
      // the gate may have waited for others
      if (pausing.holds(job)) paused.push(job)
      else run(job, apart)
    }
    await Promise.all([
      queue.handBack(name, apart, { uncount: true, delayMs: suspects.pauseMs() }),
      pausing.putAway(paused),
    ])
  }

  return async (opened: readonly OpenedMessage[]): Promise<void> => {
    const finished: Delivery[] = []
    const strange: Delivery[] = []
    const reasons = new Map<string, string>()
    const apart: Delivery[] = []
    const inLanes: WorkItem[] = []
    const unreadable: Delivery[] = []
    const paused: WorkItem[] = []
    const putOff: WorkItem[] = []
    suspects.saw(opened)
    for (const one of opened) {
      switch (one.kind) {
        case 'work':
          if (pausing.holds(one)) paused.push(one)
          else if (unknownTypes.holds(one)) putOff.push(one)
          else if (one.command.sent.lane === undefined) run(one, apart)
          else inLanes.push(one)
          break
        case 'tampered':
          log.error(
            {
              security: 'tampered message',
              ...one.key,
              queue: one.delivery.queue,
              msgId: one.delivery.msgId,
              differences: one.differences,
            },
            'a message says something else than the log: it does not run, and its command is parked',
          )
          park(one)
          break
        case 'expired':
          expire(one)
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
          reasons.set(messageKey(one.delivery), one.why)
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
      runInLanes(inLanes),
      orHandBack(finished, () => queue.archive(name, finished.map(messageKey))),
      orHandBack(strange, () => strangers.settle(strange, reasons)),
      queue.handBack(name, apart, { uncount: true, delayMs: suspects.pauseMs() }),
      queue.handBack(name, unreadable, { uncount: true, delayMs: UNREADABLE_MS }),
      pausing.putAway(paused),
      unknownTypes.putAway(putOff),
    ])
    const failed = settled.find(one => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (strange.length === opened.length && strange.length > 0) await strangers.goOn(strange)
  }
}
