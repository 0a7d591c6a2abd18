import type { Instant } from '../instant.ts'

/** Times of day, `09:00`; those from a later to an earlier one go over midnight. The end itself is outside. */
export interface Hours {
  readonly from: string
  readonly to: string
  /** An IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string
}

/** Whether an instant lies within the hours, by the clock of their zone. */
export const isWithinHours = ({ from, to, timeZone }: Hours, at: Instant): boolean => {
  const time = timeIn(timeZone, at)
  return from < to ? from <= time && time < to : from <= time || time < to
}

/** `09:05`: such texts compare as times do. */
const timeIn = (timeZone: string, at: Instant): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    new Date(at),
  )

export const isTimeZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}

export const isTimeOfDay = (text: string): boolean => /^([01]\d|2[0-3]):[0-5]\d$/.test(text)
