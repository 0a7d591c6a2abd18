import { Cron } from 'croner'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CronFault, CronTimes } from '../../application/ports/cron-times.ts'
import { BoundedMap } from '../../application/shared/bounded-map.ts'
import type { NextTime } from '../../domain/flow/schedule/times.ts'

const FIELDS = ['minute', 'hour', 'day of the month', 'month', 'day of the week'] as const

const hints: Readonly<Record<(typeof FIELDS)[number] | 'second', string>> = {
  second: '0-59',
  minute: '0-59',
  hour: '0-23',
  'day of the month': '1-31, L for the last',
  month: '1-12 or JAN-DEC',
  'day of the week': '0-7 or SUN-SAT, 5#2 for the second Friday',
}

/** Each of them holds some 80 kB. */
const KEPT = 32

const open = (cron: string, timeZone: string): Cron =>
  new Cron(cron, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' })

/** The times of crons, by croner. */
export const createCronTimes = (): CronTimes => {
  const kept = new BoundedMap<string, NextTime>(KEPT)
  return (cron, timeZone) => {
    const key = `${timeZone} ${cron}`
    const known = kept.get(key)
    if (known !== undefined) return right(known)
    const fault = zoneFault(timeZone) ?? fieldFault(cron)
    if (fault !== null) return left(fault)
    return timesOf(cron, timeZone, next => kept.set(key, next))
  }
}

const timesOf = (cron: string, timeZone: string, keep: (next: NextTime) => void): Either<CronFault, NextTime> => {
  try {
    const times = open(cron, timeZone)
    const next: NextTime = after => times.nextRun(new Date(after))?.getTime() ?? null
    if (next(Date.UTC(2000)) === null)
      return left({ field: 'cron', fault: `'${cron}' never comes: there is no such date; check its day and its month` })
    keep(next)
    return right(next)
  } catch {
    return left({ field: 'cron', fault: `'${cron}' is not a valid cron` })
  }
}

/** Names only: croner would take an offset for one. */
const ZONE = /^[A-Za-z][\w+-]*(\/[A-Za-z][\w+-]*){0,2}$/

const zoneFault = (timeZone: string): CronFault | null => {
  const fault: CronFault = {
    field: 'timeZone',
    fault: `'${timeZone}' is not a known time zone: use an IANA name such as Europe/Berlin or UTC`,
  }
  if (!ZONE.test(timeZone)) return fault
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return null
  } catch {
    return fault
  }
}

const fieldFault = (cron: string): CronFault | null => {
  const parts = cron.trim().split(/\s+/)
  const names = parts.length === FIELDS.length + 1 ? (['second', ...FIELDS] as const) : FIELDS
  if (parts.length !== names.length) {
    const count = cron.trim() === '' ? 0 : parts.length
    return {
      field: 'cron',
      fault: `must have 5 fields (minute, hour, day of the month, month, day of the week), or 6 with the second first, not ${count}`,
    }
  }
  for (const [i, part] of parts.entries()) {
    const name = names[i] as keyof typeof hints
    if (isValid(parts.map((_, j) => (j === i ? part : '*')))) continue
    return {
      field: 'cron',
      fault: `'${part}' in field ${i + 1} (${name}) is not valid: use * or ${hints[name]}, with lists 1,3, ranges 1-5 and steps */2`,
    }
  }
  return null
}

const isValid = (parts: readonly string[]): boolean => {
  try {
    open(parts.join(' '), 'UTC')
    return true
  } catch {
    return false
  }
}
