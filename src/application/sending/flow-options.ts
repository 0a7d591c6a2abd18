import type { CommandSent } from '../../domain/command/events.ts'
import { commandQueue, MAX_QUEUE_NAME } from '../../domain/command/names.ts'
import { type Priority, priorities } from '../../domain/flow/priority.ts'
import { type Instant, YEAR_SECONDS } from '../../domain/instant.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { instantAhead, oneOf, textOf } from '../shared/input.ts'

/** When a command runs, and beside which others. */
export interface FlowOptions {
  /** Not before so many seconds from now: 0 to 31,536,000 (a year). Default: at once. Not together with `runAt`. */
  readonly delaySeconds?: number
  /** Not before this instant: ISO 8601, ahead by a year at the most. */
  readonly runAt?: string | Date
  /** Workers prefer `high` to `normal`, and that to `low`, which still runs. Default `normal`. */
  readonly priority?: Priority
  /** If nobody has begun it after so many seconds it is canceled, with a reply: more than 0, to 31,536,000. Not together with `expiresAt`. */
  readonly expiresInSeconds?: number
  /** The same as an instant: ISO 8601, ahead by a year at the most, and after `runAt`. */
  readonly expiresAt?: string | Date
  /** The name of its lane, 1-200 characters: commands of one lane run one after the other, in the order of sending. */
  readonly key?: string
}

type Flow = Pick<CommandSent, 'runAt' | 'priority' | 'expiresAt' | 'lane'>

export const MAX_KEY = 200

const plain: Flow = {}

/** The members of the event that these options ask for: none for most commands. @throws InvalidInputError */
export const flowOf = (domain: string, given: FlowOptions, now: Instant): Flow => {
  const { delaySeconds, priority, expiresInSeconds, key } = given
  const isPlain =
    delaySeconds === undefined &&
    given.runAt === undefined &&
    priority === undefined &&
    expiresInSeconds === undefined &&
    given.expiresAt === undefined &&
    key === undefined
  if (isPlain) return plain
  const runAt = eitherOf('delaySeconds', delaySeconds, 'runAt', given.runAt, now, 0)
  const expiresAt = eitherOf('expiresInSeconds', expiresInSeconds, 'expiresAt', given.expiresAt, now, 0.001)
  if (runAt !== null && expiresAt !== null && expiresAt <= runAt) {
    throw new InvalidInputError('expiresAt', `must lie after the time at which the command may run, ${runAt}`)
  }
  const known = isGiven(priority) ? oneOf(priorities, priority, 'priority') : 'normal'
  const queue = commandQueue(domain, known)
  if (queue.length > MAX_QUEUE_NAME) {
    throw new InvalidInputError(
      'priority',
      `domain '${domain}' is too long for another priority than normal: queue '${queue}' would have ${queue.length} characters, and pgmq allows ${MAX_QUEUE_NAME}`,
    )
  }
  return {
    ...(runAt === null ? {} : { runAt }),
    ...(known === 'normal' ? {} : { priority: known }),
    ...(expiresAt === null ? {} : { expiresAt }),
    ...(isGiven(key) ? { lane: textOf(key, 'key', MAX_KEY) } : {}),
  }
}

/** The time of a reschedule: one of the two has to be given. @throws InvalidInputError */
export const newRunAtOf = (
  { delaySeconds, runAt }: Pick<FlowOptions, 'delaySeconds' | 'runAt'>,
  now: Instant,
): Instant => {
  if (!isGiven(delaySeconds) && !isGiven(runAt)) {
    throw new InvalidInputError('runAt, delaySeconds', 'say when it is to run: delaySeconds 0 is at once')
  }
  return eitherOf('delaySeconds', delaySeconds, 'runAt', runAt, now, 0) ?? now
}

const isGiven = <A>(value: A | undefined | null): value is A => value !== undefined && value !== null

/** An instant from a number of seconds or from itself; null for no seconds, or none of both. */
const eitherOf = (
  ofSeconds: string,
  seconds: unknown,
  ofInstant: string,
  instant: unknown,
  now: Instant,
  least: number,
): Instant | null => {
  if (isGiven(seconds) && isGiven(instant)) {
    throw new InvalidInputError(`${ofSeconds}, ${ofInstant}`, 'give one of them, not both')
  }
  if (isGiven(instant)) return instantAhead(instant, ofInstant, now)
  if (!isGiven(seconds)) return null
  if (typeof seconds !== 'number' || !(seconds >= least && seconds <= YEAR_SECONDS)) {
    const from = least === 0 ? 'from 0' : 'more than 0,'
    throw new InvalidInputError(ofSeconds, `must be a number of seconds ${from} to ${YEAR_SECONDS}`)
  }
  return seconds === 0 ? null : new Date(Date.parse(now) + Math.ceil(seconds * 1000)).toISOString()
}
