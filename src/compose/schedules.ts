import type { Client, Pool } from 'pg'
import { acceptedOrThrow } from '../application/commands/send-command.ts'
import type { Sender } from '../application/commands/sender.ts'
import { createSchedules, type ScheduleCalls } from '../application/flow/schedules.ts'
import { createSettings, type SettingsDeps } from '../application/flow/settings-store.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { CronTimes } from '../application/ports/cron-times.ts'
import type { Log } from '../application/ports/log.ts'
import { createScheduleQueries } from '../infrastructure/postgres/flow/schedule-queries.ts'
import { createScheduleWork } from '../infrastructure/postgres/flow/schedule-work.ts'
import { createSettingsLog } from '../infrastructure/postgres/flow/settings-log.ts'
import { createScheduleRunner, type ScheduleLimits } from '../infrastructure/runners/schedules.ts'

export interface SchedulesDeps extends Omit<SettingsDeps, 'log'> {
  readonly pool: Pool
  readonly newClient: () => Client
  readonly derivedId: (text: string) => string
  readonly send: Sender['one']
  readonly sendBatch: Sender['batch']
  /** The clock that says what is due; null: the database's. */
  readonly ownClock: Clock | null
  readonly log: Log
  readonly scheduleLimits: Partial<ScheduleLimits> | undefined
}

let loaded: CronTimes | null = null

/** The library for crons is loaded by the first use of a schedule: most processes have none. */
const load = async (): Promise<void> => {
  loaded ??= (await import('../infrastructure/shared/cron-times.ts')).createCronTimes()
}

const cronTimes: CronTimes = (cron, timeZone) => {
  if (loaded === null) throw new Error('crons are read before their library is loaded')
  return loaded(cron, timeZone)
}

/** Makes the calls for schedules, and the runner that sends their commands. */
export const createScheduling = ({ pool, send, sendBatch, ownClock, scheduleLimits, ...deps }: SchedulesDeps) => {
  const queries = createScheduleQueries(pool)
  const ownNow = ownClock === null ? undefined : () => ownClock.now().getTime()
  const { store } = deps
  const runner = createScheduleRunner({
    ...deps,
    pool,
    cronTimes,
    sendBatch,
    // elsewhere each command is an append of its own, and a batch makes several at once
    atOnce: store.capabilities.inlineProjections ? 500 : 1,
    workOn: createScheduleWork,
    now: ownNow,
    limits: scheduleLimits,
  })
  const schedules = createSchedules({
    settings: createSettings({ ...deps, log: createSettingsLog(pool) }),
    queries,
    cronTimes,
    now: async () => ownNow?.() ?? queries.now(),
    send: async (domain, command) => acceptedOrThrow(domain, await send(domain, command)),
    onChanged: runner.wake,
  })
  const afterLoad =
    <Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      await load()
      return call(...args)
    }
  const calls: ScheduleCalls = {
    set: afterLoad(schedules.set),
    get: afterLoad(schedules.get),
    list: afterLoad(schedules.list),
    delete: schedules.delete,
    pause: afterLoad(schedules.pause),
    resume: afterLoad(schedules.resume),
    run: afterLoad(schedules.run),
  }
  return { schedules: calls, runner: { ...runner, run: afterLoad(runner.run) } }
}
