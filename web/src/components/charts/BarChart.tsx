import { useId, useRef, useState } from 'react'
import { Link, navigate } from '../../app/router.tsx'
import { useWidth } from '../lists/useWidth.ts'

export interface Series<Name extends string> {
  readonly name: Name
  readonly label: string
  readonly fill: string
  readonly swatch: string
}

export type Bar<Name extends string> = { readonly at: string } & { readonly [N in Name]: number }

interface BarChartProps<Name extends string> {
  readonly bars: readonly Bar<Name>[]
  readonly bucketSeconds: number
  /** Stacked, the first one at the bottom. */
  readonly stacked: readonly Series<Name>[]
  /** A line over the bars. */
  readonly line: { readonly name: Name; readonly label: string }
  /** What the whole chart says, such as `In the last hour`. */
  readonly span: string
  /** A number at a time: its last value stands for the whole chart, not the sum. */
  readonly level?: Name
  /** Where a click on a bar leads. */
  readonly hrefOf?: (from: string, to: string) => string
}

const HEIGHT = 150
const USUAL_WIDTH = 640
const BOTTOM = 18
const LEFT = 34
const LABEL_WIDTH = 64

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const number = new Intl.NumberFormat()

/** The first of 1, 2, 5, 10, ... that is at least `value`. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5, 10].find(factor => factor * power >= value) ?? 10) * power
}

/** Bars over time, with the same figures as a table. The last bar is under way: it is hatched, and the line ends before it. */
export const BarChart = <Name extends string>({
  bars,
  bucketSeconds,
  stacked,
  line,
  span,
  level,
  hrefOf,
}: BarChartProps<Name>) => {
  const [title, hatch] = [useId(), useId()]
  const [at, setAt] = useState<Bar<Name> | null>(null)
  const box = useRef<HTMLElement>(null)
  const width = useWidth(box, USUAL_WIDTH)
  const label = (instant: string): string => (bucketSeconds >= 7_200 ? day : time).format(new Date(instant))
  const endOf = (instant: string): string => new Date(Date.parse(instant) + bucketSeconds * 1_000).toISOString()
  const of = (bar: Bar<Name>, name: Name): number => bar[name]
  const sum = (name: Name): number => bars.reduce((all, bar) => all + of(bar, name), 0)
  const total = (name: Name): number => (name === level ? (bars.at(-1)?.[name] ?? 0) : sum(name))
  const height = (bar: Bar<Name>): number => stacked.reduce((all, { name }) => all + of(bar, name), 0)
  const top = roundUp(Math.max(...bars.map(bar => Math.max(of(bar, line.name), height(bar))), 1))
  const step = (width - LEFT) / Math.max(bars.length, 1)
  const every = Math.max(1, Math.ceil((bucketSeconds >= 7_200 ? 2 * LABEL_WIDTH : LABEL_WIDTH) / step))
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 8)
  const middle = (i: number): number => LEFT + step * (i + 0.5)
  const path = bars
    .slice(0, -1)
    .map((bar, i) => `${i === 0 ? 'M' : 'L'}${middle(i).toFixed(1)} ${y(of(bar, line.name)).toFixed(1)}`)
    .join(' ')
  const shown = (name: Name): string => number.format(at === null ? total(name) : of(at, name))
  const all = [line, ...stacked]

  return (
    <figure ref={box} className="grid gap-2 p-4">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-labelledby={title} className="w-full">
        <title id={title}>
          {`${span} ${all.map(({ name, label }) => `${number.format(total(name))} ${label.toLowerCase()}`).join(', ')}`}
        </title>
        <defs>
          <pattern id={hatch} width={5} height={5} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width={2.5} height={5} className="fill-surface" />
          </pattern>
        </defs>
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
              {Number.isInteger(top * share) ? number.format(top * share) : ''}
            </text>
          </g>
        ))}
        {bars.map((bar, i) => {
          let base = 0
          const underWay = i === bars.length - 1
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the same figures and links stand in the table below
            <g
              key={bar.at}
              data-bar={bar.at}
              className={hrefOf === undefined ? undefined : 'cursor-pointer'}
              onMouseEnter={() => setAt(bar)}
              onMouseLeave={() => setAt(null)}
              onClick={() => hrefOf !== undefined && navigate(hrefOf(bar.at, endOf(bar.at)))}
            >
              <rect x={LEFT + step * i} y={0} width={step} height={HEIGHT - BOTTOM} fill="transparent" />
              {stacked.map(({ name, fill }) => {
                const from = base
                base += of(bar, name)
                return of(bar, name) === 0 ? null : (
                  <rect
                    key={name}
                    x={middle(i) - step * 0.32}
                    width={step * 0.64}
                    y={y(base)}
                    height={Math.max(y(from) - y(base), 1)}
                    className={fill}
                    rx={Math.min(1.5, step / 8)}
                  />
                )
              })}
              {underWay && base > 0 && (
                <rect
                  data-hatched
                  x={middle(i) - step * 0.32}
                  width={step * 0.64}
                  y={y(base)}
                  height={Math.max(y(0) - y(base), 1)}
                  fill={`url(#${hatch})`}
                />
              )}
              {i % every === 0 && middle(i) > LEFT + LABEL_WIDTH / 4 && (
                <text x={middle(i)} y={HEIGHT - 4} textAnchor="middle" fontSize={10} className="fill-muted">
                  {label(bar.at)}
                </text>
              )}
            </g>
          )
        })}
        <path d={path} fill="none" className="stroke-chart-sent" strokeWidth={1.5} strokeDasharray="4 3" />
      </svg>
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        {stacked.map(({ name, label, swatch }) => (
          <span key={name} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${swatch}`} />
            {label} {shown(name)}
          </span>
        ))}
        <span className="flex items-center gap-1.5">
          <span aria-hidden className="w-3 border-t-2 border-dashed border-chart-sent" />
          {line.label} {shown(line.name)}
        </span>
        <span className="ml-auto">
          {at === null ? 'the last bar is under way' : `${label(at.at)} to ${time.format(new Date(endOf(at.at)))}`}
        </span>
      </figcaption>
      <details className="text-xs text-muted">
        <summary>As a table</summary>
        <table className="mt-2 tabular-nums">
          <thead>
            <tr>
              {['From', ...all.map(({ label }) => label)].map(name => (
                <th key={name} scope="col" className="pr-4 text-left font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bars.map(bar => (
              <tr key={bar.at}>
                <th scope="row" className="pr-4 text-left font-normal">
                  {hrefOf === undefined ? (
                    label(bar.at)
                  ) : (
                    <Link href={hrefOf(bar.at, endOf(bar.at))} className="text-accent underline">
                      {label(bar.at)}
                    </Link>
                  )}
                </th>
                {all.map(({ name }) => (
                  <td key={name} className="pr-4">
                    {of(bar, name)}
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
