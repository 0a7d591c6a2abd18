import { useId, useRef, useState } from 'react'
import type { Stats } from '../../api/client.ts'
import { useWidth } from '../../components/lists/useWidth.ts'

type Minute = Stats['throughput'][number]

const HEIGHT = 150
const USUAL_WIDTH = 640
const BOTTOM = 18
const LEFT = 34

const series = [
  { name: 'completed', label: 'Completed', fill: 'fill-chart-ok', swatch: 'bg-chart-ok' },
  { name: 'failed', label: 'Failed', fill: 'fill-chart-bad', swatch: 'bg-chart-bad' },
  { name: 'parked', label: 'Moved to troubleshooting', fill: 'fill-chart-warn', swatch: 'bg-chart-warn' },
] as const

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const timeOf = (minute: string): string => clock.format(new Date(minute))

/** The first of 1, 2, 5, 10, ... that is at least `value`. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5, 10].find(factor => factor * power >= value) ?? 10) * power
}

/** The commands that ended in each minute, stacked by outcome, with a line for those that were sent. */
export const Throughput = ({ minutes }: { readonly minutes: readonly Minute[] }) => {
  const title = useId()
  const [at, setAt] = useState<Minute | null>(null)
  const box = useRef<HTMLElement>(null)
  const width = useWidth(box, USUAL_WIDTH)
  const top = roundUp(Math.max(...minutes.map(m => Math.max(m.sent, m.completed + m.failed + m.parked)), 1))
  const every = width < 400 ? 5 : 3
  const step = (width - LEFT) / Math.max(minutes.length, 1)
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 8)
  const middle = (i: number): number => LEFT + step * (i + 0.5)
  const line = minutes.map((m, i) => `${i === 0 ? 'M' : 'L'}${middle(i).toFixed(1)} ${y(m.sent).toFixed(1)}`).join(' ')
  const sum = (name: 'sent' | 'completed' | 'failed' | 'parked') => minutes.reduce((n, m) => n + m[name], 0)

  return (
    <figure ref={box} className="grid gap-2 p-4">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-labelledby={title} className="w-full">
        <title id={title}>
          {`In the last ${minutes.length} minutes ${sum('sent')} sent, ${sum('completed')} completed, ${sum('failed')} failed, ${sum('parked')} moved to troubleshooting`}
        </title>
        {[0, 0.5, 1].map(share => (
          <g key={share}>
            <line
              x1={LEFT}
              x2={width}
              y1={y(top * share)}
              y2={y(top * share)}
              className="stroke-line"
              strokeWidth={1}
            />
            <text x={LEFT - 6} y={y(top * share) + 3} textAnchor="end" fontSize={10} className="fill-muted">
              {Number.isInteger(top * share) ? top * share : ''}
            </text>
          </g>
        ))}
        {minutes.map((m, i) => {
          let base = 0
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the same figures stand in the table below
            <g key={m.minute} onMouseEnter={() => setAt(m)} onMouseLeave={() => setAt(null)}>
              <rect x={LEFT + step * i} y={0} width={step} height={HEIGHT - BOTTOM} fill="transparent" />
              {series.map(({ name, fill }) => {
                const from = base
                base += m[name]
                return m[name] === 0 ? null : (
                  <rect
                    key={name}
                    x={middle(i) - step * 0.32}
                    width={step * 0.64}
                    y={y(base)}
                    height={Math.max(y(from) - y(base), 1)}
                    className={fill}
                    rx={1.5}
                  />
                )
              })}
              {i % every === 0 && (
                <text x={middle(i)} y={HEIGHT - 4} textAnchor="middle" fontSize={10} className="fill-muted">
                  {timeOf(m.minute)}
                </text>
              )}
            </g>
          )
        })}
        <path d={line} fill="none" className="stroke-chart-sent" strokeWidth={1.5} strokeDasharray="4 3" />
      </svg>
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        {series.map(({ name, label, swatch }) => (
          <span key={name} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${swatch}`} />
            {label} {at === null ? sum(name) : at[name]}
          </span>
        ))}
        <span className="flex items-center gap-1.5">
          <span aria-hidden className="w-3 border-t-2 border-dashed border-chart-sent" />
          Sent {at === null ? sum('sent') : at.sent}
        </span>
        <span className="ml-auto">{at === null ? `last ${minutes.length} minutes` : timeOf(at.minute)}</span>
      </figcaption>
      <details className="text-xs text-muted">
        <summary>As a table</summary>
        <table className="mt-2 tabular-nums">
          <thead>
            <tr>
              {['Minute', 'Sent', ...series.map(({ label }) => label)].map(name => (
                <th key={name} scope="col" className="pr-4 text-left font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {minutes.map(m => (
              <tr key={m.minute}>
                <th scope="row" className="pr-4 text-left font-normal">
                  {timeOf(m.minute)}
                </th>
                {(['sent', 'completed', 'failed', 'parked'] as const).map(name => (
                  <td key={name} className="pr-4">
                    {m[name]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
