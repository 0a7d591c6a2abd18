import type { QuietHours } from '../ports/alerting/alert-store.ts'

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/

/** Minutes since midnight; null for a text that is not `HH:MM`. */
export const minutesOf = (text: string): number | null => {
  const [, hours, minutes] = TIME.exec(text) ?? []
  return hours === undefined ? null : Number(hours) * 60 + Number(minutes)
}

export const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Whether an instant lies within the hours; those from 22:00 to 07:00 go over midnight. */
export const isQuiet = (quiet: QuietHours | null, instant: string): boolean => {
  if (quiet === null) return false
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: quiet.timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const [now, from, to] = [clock.format(new Date(instant)), quiet.from, quiet.to].map(minutesOf) as number[]
  if (now === undefined || from === undefined || to === undefined) return false
  return from < to ? from <= now && now < to : from <= now || now < to
}
