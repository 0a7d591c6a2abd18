import { type Either, left, right } from 'fp-ts/lib/Either.js'

const PREFIX = 'schedule-'
const NAME = /^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/
export const MAX_SCHEDULE_NAME = 100

export const scheduleStream = (name: string): string => `${PREFIX}${name}`

export const parseScheduleStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : null

/** A schedule's name: as that of a domain, up to 100 characters. */
export const parseScheduleName = (text: string): Either<string, string> => {
  if (text.length > MAX_SCHEDULE_NAME)
    return left(`the name of a schedule must have at most ${MAX_SCHEDULE_NAME} characters, not ${text.length}`)
  return NAME.test(text)
    ? right(text)
    : left(
        `'${text}' is not a valid name of a schedule: use lower-case letters and digits joined by single '.', '_' or '-', starting with a letter`,
      )
}

/** Who sends the command of a time, for the audit. */
export const scheduleActor = (name: string): string => `schedule:${name}`
