const WIDTH = 72
const HEIGHT = 18

/** The course of a count in one line of text; the last bar is under way. */
export const Sparkline = ({ values, label }: { readonly values: readonly number[]; readonly label: string }) => {
  const top = Math.max(...values, 1)
  const step = WIDTH / Math.max(values.length, 1)
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`${label}: ${values.join(', ')}`}
    >
      {values.map((value, i) => {
        const height = value === 0 ? 1 : Math.max(2, (value / top) * HEIGHT)
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            x={i * step}
            width={step * 0.75}
            y={HEIGHT - height}
            height={height}
            className={value === 0 ? 'fill-line' : 'fill-chart-bad'}
            opacity={i === values.length - 1 ? 0.5 : 1}
          />
        )
      })}
    </svg>
  )
}
