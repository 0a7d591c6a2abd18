import { gaveUpTurn } from '../../../application/commands/attempt-turns.ts'
import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import type { CommandTurn, WorkItem } from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Queue } from '../../../application/ports/queue.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import { nameOf } from './run.ts'

export interface GiveUpDeps {
  readonly transact: TransactCommands
  readonly queue: Pick<Queue, 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
}

export interface GivenUp {
  readonly job: WorkItem
  readonly error: CommandError
  /** Whether the attempt counts towards the command's limit; `undefined`: as for any failure of its handler. */
  readonly counts?: boolean
}

/**
 * Records that running attempts were given up, so that nobody waits for their leases and the log has the reason. If the log
 * cannot be written, their messages still go back to the queue.
 */
export const createGiveUp =
  ({ transact, queue, name, clock, log }: GiveUpDeps) =>
  async (given: readonly GivenUp[]): Promise<void> => {
    if (given.length === 0) return
    const turns = given.map((one): CommandTurn => gaveUpTurn(one.job, one.error, one.counts, clock))
    try {
      const outcomes = await transact(turns)
      given.forEach(({ job, error, counts }, i) => {
        if (outcomes[i]?.outcome !== 'done') return
        log.warn({ ...nameOf(job), error, counts: counts !== false }, 'the attempt was given up')
      })
    } catch (error) {
      log.warn({ err: error, commands: given.map(({ job }) => nameOf(job)) }, 'giving attempts up was not recorded')
      await queue.handBack(
        name,
        given.map(({ job }) => job.delivery),
        { uncount: false },
      )
    }
  }
