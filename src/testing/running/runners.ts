import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import type { CommandTurn } from '../../application/commands/work-message.ts'
import { timesOf } from '../../application/flow/schedule-input.ts'
import { createSendDue, type SendDueDeps } from '../../application/flow/send-due.ts'
import type { PauseQueries } from '../../application/ports/reading/flow-queries.ts'
import type { ScheduleWork } from '../../application/ports/reading/schedule-queries.ts'
import type { StoredRow, Tables } from '../memory/tables.ts'
import type { Runner } from './engine.ts'

/** Who expires commands, for the audit. */
const ACTOR = 'expiry'

/** Cancels what nobody has begun by its time. */
export const createExpiry = (tables: Tables, now: () => number, transact: TransactCommands): Runner => {
  const waiting = (): readonly (readonly [string, StoredRow, number])[] =>
    [...tables.commands].flatMap(([stream, row]) =>
      row.status === 'PENDING' && row.expires_at !== null && row.total_attempts === 0
        ? [[stream, row, Date.parse(row.expires_at)] as const]
        : [],
    )
  return {
    run: async () => {
      const turns = waiting()
        .filter(([, , at]) => at <= now())
        .map(
          ([stream]): CommandTurn => ({
            stream,
            intents: [{ type: 'Expire', at: new Date(now()).toISOString(), actor: ACTOR }],
          }),
        )
      if (turns.length > 0) await transact(turns)
    },
    next: async () => waiting().map(([, , at]) => at),
  }
}

/** Sends the commands of schedules. */
export const createScheduleRunner = (
  deps: Omit<SendDueDeps, 'work'> & { readonly work: ScheduleWork; readonly now: () => number },
): Runner => {
  const { work, cronTimes, now } = deps
  const sendDue = createSendDue(deps)
  return {
    isEndless: true,
    run: async () => {
      for (const { name } of await work.heads()) {
        const schedule = await work.find(name)
        if (schedule?.status === 'ACTIVE') await sendDue(schedule, now())
      }
    },
    next: async () => {
      const times: number[] = []
      for (const { name, after } of await work.heads()) {
        const schedule = await work.find(name)
        const next = schedule === null ? null : timesOf(schedule.facts, cronTimes)(after)
        if (next !== null) times.push(next)
      }
      return times
    },
  }
}

/** Pauses end by themselves: workers look whenever they read. */
export const createPauseEnds = (queries: PauseQueries): Runner => ({
  run: async () => {},
  next: async () => (await queries.inForce({})).flatMap(({ until }) => (until === null ? [] : [Date.parse(until)])),
})
