import { useEffect, useState } from 'react'
import { dateText, useZone } from './time/clock.ts'

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' })

export const ago = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  if (Math.abs(seconds) < 3) return 'now'
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return relative.format(-Math.trunc(seconds / size), unit)
}

/** A length of time in at most two units: `1.2 s`, `4 min 10 s`. */
export const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`
}

/** Now, again every few seconds. */
export const useNow = (everyMs = 5_000): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** How long ago; the instant itself in the tooltip. */
export const Ago = ({ at }: { readonly at: string | null }) => {
  const now = useNow()
  const zone = useZone()
  if (at === null) return <span className="text-muted">–</span>
  return (
    <time dateTime={at} title={dateText(at, zone)} className="whitespace-nowrap">
      {ago(now - Date.parse(at))}
    </time>
  )
}

/** The instant by the chosen clock, with its zone; exactly and in UTC in the tooltip. */
export const At = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={at}>
    {dateText(at, useZone())}
  </time>
)

/** The instant, and how long ago that is. */
export const AtAgo = ({ at }: { readonly at: string }) => (
  <>
    <At at={at} /> <span className="whitespace-nowrap text-muted">({ago(useNow() - Date.parse(at))})</span>
  </>
)
