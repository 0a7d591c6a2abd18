import { useSyncExternalStore } from 'react'

/** Whose clock the times are shown by. */
export type Zone = 'local' | 'utc'

const KEY = 'commandbus.zone'
const listeners = new Set<() => void>()

export const zone = (): Zone => (localStorage.getItem(KEY) === 'utc' ? 'utc' : 'local')

export const setZone = (next: Zone): void => {
  localStorage.setItem(KEY, next)
  for (const listener of listeners) listener()
}

export const useZone = (): Zone =>
  useSyncExternalStore(listener => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, zone)

const formats = (style: Intl.DateTimeFormatOptions) => {
  const options = { ...style, hourCycle: 'h23' } as const
  return {
    local: new Intl.DateTimeFormat('en-GB', options),
    utc: new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }),
  }
}

const dates = formats({ dateStyle: 'medium', timeStyle: 'medium' })
const clocks = formats({ timeStyle: 'medium' })
const zones = formats({ hour: 'numeric', timeZoneName: 'short' })

/** `UTC`, `GMT+2`: the zone of a time, which changes with summer and winter. */
export const zoneName = (at: number, where: Zone = zone()): string =>
  zones[where].formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''

/** `29 Nov 2026, 13:34:05 UTC`, by a clock of 24 hours. */
export const dateText = (at: string | number, where: Zone = zone()): string => {
  const instant = new Date(at).getTime()
  return `${dates[where].format(instant)} ${zoneName(instant, where)}`
}

/** `13:34:05` */
export const clockText = (at: number, where: Zone = zone()): string => clocks[where].format(at)
