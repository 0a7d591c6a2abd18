import { dueTimes, MAX_MISSED } from '../../domain/flow/schedule/due.ts'
import { scheduleActor } from '../../domain/flow/schedule/names.ts'
import { lastTimes } from '../../domain/flow/schedule/times.ts'
import type { BatchResult } from '../commands/send-batch.ts'
import type { CommandToSend } from '../commands/send-command.ts'
import type { CronTimes } from '../ports/cron-times.ts'
import type { Log } from '../ports/log.ts'
import type { ScheduleWork, StoredSchedule } from '../ports/reading/schedule-queries.ts'
import { sizedJsonOf } from '../shared/input.ts'
import { timesOf } from './schedule-input.ts'

export interface SendDueDeps {
  readonly work: Pick<ScheduleWork, 'sent' | 'save'>
  readonly cronTimes: CronTimes
  /** Always the same id for the same text. */
  readonly derivedId: (text: string) => string
  readonly sendBatch: (domain: string, commands: readonly CommandToSend[]) => Promise<readonly BatchResult[]>
  /** How many commands a call of `sendBatch` takes without mixing their order. */
  readonly atOnce: number
  readonly log: Log
}

/** Few enough bytes for one statement. */
const BYTES_AT_ONCE = 4 * 1024 * 1024

/** A time of a schedule as it is written, also in its command's causation id. */
const written = (time: number): string => new Date(time).toISOString()

/** The id of a time's command: the same in every process, so that it is sent once however often it is tried. */
export const idOfTime = (
  derivedId: SendDueDeps['derivedId'],
  { name, facts }: Pick<StoredSchedule, 'name' | 'facts'>,
  time: number,
): string => derivedId(JSON.stringify(['schedule', name, facts.incarnation, written(time)]))

/** After this instant the times of a schedule are not handled. */
export const handledUntilOf = ({ facts, progress }: Pick<StoredSchedule, 'facts' | 'progress'>): number =>
  Math.max(Date.parse(facts.countsAfter), progress === null ? 0 : Date.parse(progress.handledUntil))

/**
 * Sends the commands of a schedule's times that have come by `now`, and notes that they are handled. It may be ended at any
 * point and done again: what was sent and not noted is found by its id.
 */
export const createSendDue =
  ({ work, cronTimes, derivedId, sendBatch, atOnce, log }: SendDueDeps) =>
  async (schedule: StoredSchedule, now: number): Promise<void> => {
    const { name, facts, progress } = schedule
    const next = timesOf(facts, cronTimes)
    const handledUntil = handledUntilOf(schedule)
    const waiting = lastTimes(next, handledUntil, now, MAX_MISSED)
    if (waiting.length === 0) return
    const idOf = (time: number): string => idOfTime(derivedId, schedule, time)
    const lastId = progress?.lastCommandId ?? null
    const found = await work.sent(facts.domain, [...waiting.map(idOf), ...(lastId === null ? [] : [lastId])])
    // a process sent it and ended before it noted so
    const unnoted = waiting.findLast(time => found.has(idOf(time)))
    const before = unnoted === undefined ? lastId : idOf(unnoted)
    const due = dueTimes(facts, next, {
      handledUntil: unnoted ?? handledUntil,
      now,
      isOpen: before !== null && found.get(before)?.ended === false,
    })
    const send = due?.send ?? []
    const most = Math.max(1, Math.min(atOnce, Math.floor(BYTES_AT_ONCE / sizedJsonOf(facts.data).bytes)))
    for (let i = 0; i < send.length; i += most) {
      const times = send.slice(i, i + most)
      await sendBatch(
        facts.domain,
        times.map(time => commandOf(schedule, idOf(time), time)),
      )
    }
    const sent = send.at(-1) ?? unnoted
    const passedOver = due?.passedOver ?? null
    if (passedOver !== null)
      log.info({ schedule: name, until: written(passedOver), sent: send.length }, 'times of a schedule are passed over')
    await work.save(name, {
      incarnation: facts.incarnation,
      handledUntil: written(now),
      ...(sent === undefined
        ? { lastTime: progress?.lastTime ?? null, lastCommandId: lastId }
        : { lastTime: written(sent), lastCommandId: idOf(sent) }),
      lastPassedOver: passedOver === null ? (progress?.lastPassedOver ?? null) : written(passedOver),
    })
  }

const commandOf = ({ name, facts }: StoredSchedule, commandId: string, time: number): CommandToSend => ({
  ...commandOfSchedule(facts),
  commandId,
  causationId: `${name} ${written(time)}`,
  actor: scheduleActor(name),
})

/** What the commands of a schedule have in common. */
export const commandOfSchedule = (facts: StoredSchedule['facts']): CommandToSend => {
  const { commandType, data, replyTo, tenantId, priority, key } = facts
  return {
    commandType,
    data,
    ...(replyTo === null ? {} : { replyTo }),
    ...(tenantId === null ? {} : { tenantId }),
    ...(priority === 'normal' ? {} : { priority }),
    ...(key === null ? {} : { key }),
  }
}
