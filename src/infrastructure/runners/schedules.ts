import type { ClientBase } from 'pg'
import { timesOf } from '../../application/flow/schedule-input.ts'
import { createSendDue, type SendDueDeps } from '../../application/flow/send-due.ts'
import type { ScheduleHead, ScheduleWork } from '../../application/ports/reading/schedule-queries.ts'
import type { Leadership } from '../postgres/transactions/leadership.ts'
import type { WakeUp } from '../shared/wake-up.ts'
import { createLeader, type LeaderDeps } from './leader.ts'

export interface ScheduleLimits {
  /** The longest pause between two looks at the schedules, in milliseconds. Default 1,000. */
  readonly pollMs: number
  /** How often a process on standby tries to get the lock, in milliseconds. Default 1,000. */
  readonly standbyMs: number
}

export interface ScheduleRunnerDeps extends LeaderDeps, Omit<SendDueDeps, 'work'> {
  readonly workOn: (client: ClientBase) => ScheduleWork
  /** The clock that says what is due, in milliseconds since 1970; missing: the database's. */
  readonly now?: (() => number) | undefined
  readonly limits?: Partial<ScheduleLimits> | undefined
}

/** The pause after something was sent. */
const SOON_MS = 20
/** A schedule whose commands cannot be sent is tried again after this time at the latest. */
const LONGEST_WAIT_MS = 60_000

/** The next time of a schedule, as long as it is at `revision` and handled up to `after`. */
interface Awaited extends Omit<ScheduleHead, 'name'> {
  readonly next: number | null
  /** After a failure: how often it failed, and when it is tried again. */
  readonly failures: number
  readonly notBefore: number
}

/** Sends the commands of the times of all schedules. One process does so and the others are on standby. */
export const createScheduleRunner = (deps: ScheduleRunnerDeps) => {
  const { log, cronTimes } = deps
  const { pollMs, standbyMs } = { pollMs: 1_000, standbyMs: 1_000, ...deps.limits }

  const lead = async ({ client }: Leadership, signal: AbortSignal, bell: WakeUp): Promise<void> => {
    const work = deps.workOn(client)
    const now = async (): Promise<number> => deps.now?.() ?? work.now()
    const sendDue = createSendDue({ ...deps, work })
    let awaited = new Map<string, Awaited>()

    const awaitedOf = async (head: ScheduleHead): Promise<Awaited> => {
      const known = awaited.get(head.name)
      if (known !== undefined && known.revision === head.revision && known.after === head.after) return known
      const schedule = await work.find(head.name)
      const next = schedule === null ? null : timesOf(schedule.facts, cronTimes)(head.after)
      return { ...head, next, failures: 0, notBefore: 0 }
    }

    const send = async (name: string, one: Awaited, at: number): Promise<Awaited> => {
      try {
        const schedule = await work.find(name)
        if (schedule?.status === 'ACTIVE') await sendDue(schedule, at)
        return one
      } catch (error) {
        if (signal.aborted) throw error
        log.warn({ err: error, schedule: name }, 'the command of a schedule was not sent; trying again')
        const failures = one.failures + 1
        return { ...one, failures, notBefore: at + Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures) }
      }
    }

    while (!signal.aborted) {
      const heads = await work.heads()
      const at = await now()
      const seen = new Map<string, Awaited>()
      let wakeAt = at + pollMs
      for (const head of heads) {
        if (signal.aborted) return
        const one = await awaitedOf(head)
        const due = one.next === null ? Number.POSITIVE_INFINITY : Math.max(one.next, one.notBefore)
        seen.set(head.name, due <= at ? await send(head.name, one, at) : one)
        wakeAt = Math.min(wakeAt, due <= at ? at : due)
      }
      awaited = seen
      await bell.wait(Math.max(SOON_MS, wakeAt - at))
    }
  }

  return createLeader(deps, {
    lock: 'schedules',
    standbyMs,
    warning: 'the commands of schedules are not sent now; trying again',
    lead,
  })
}
