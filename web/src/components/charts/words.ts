import { duration } from '../Time.tsx'

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 })
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })

export const numberText = (value: number | null): string => (value === null ? '–' : number.format(value))
export const percentText = (share: number | null): string => (share === null ? '–' : percent.format(share))

/** Half of them at most this long, and 95 % at most that. */
export const spreadText = ({
  p50Ms,
  p95Ms,
}: {
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}): string => (p50Ms === null || p95Ms === null ? '–' : `${duration(p50Ms / 1_000)} / ${duration(p95Ms / 1_000)}`)

export const outcomeSeries = [
  { name: 'completed', label: 'Completed', fill: 'fill-chart-ok', swatch: 'bg-chart-ok' },
  { name: 'failed', label: 'Failed', fill: 'fill-chart-bad', swatch: 'bg-chart-bad' },
  { name: 'parked', label: 'Moved to troubleshooting', fill: 'fill-chart-warn', swatch: 'bg-chart-warn' },
] as const

export const sentLine = { name: 'sent', label: 'Sent' } as const
