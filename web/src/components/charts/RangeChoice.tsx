import { type FigureRange, figureRanges } from '../../../../src/contract/watching/figures.ts'
import { Link, useSearch } from '../../app/router.tsx'

const labels: Readonly<Record<FigureRange, string>> = {
  '15m': '15 min',
  '1h': '1 h',
  '6h': '6 h',
  '24h': '24 h',
  '7d': '7 d',
}

/** Begins a sentence. */
export const spans: Readonly<Record<FigureRange, string>> = {
  '15m': 'In the last 15 minutes',
  '1h': 'In the last hour',
  '6h': 'In the last 6 hours',
  '24h': 'In the last 24 hours',
  '7d': 'In the last 7 days',
}

/** The range that the address asks for. */
export const useRange = (): FigureRange => {
  const asked = useSearch().get('range')
  return figureRanges.find(range => range === asked) ?? '15m'
}

/** Links to the ranges; they keep the rest of the address. */
export const RangeChoice = () => {
  const { text } = useSearch()
  const range = useRange()
  const addressOf = (one: FigureRange): string => {
    const params = new URLSearchParams(text)
    if (one === '15m') params.delete('range')
    else params.set('range', one)
    return `${location.pathname}${params.size === 0 ? '' : `?${params}`}`
  }
  return (
    <nav aria-label="Range" className="flex gap-0.5">
      {figureRanges.map(one => (
        <Link
          key={one}
          href={addressOf(one)}
          aria-current={one === range ? 'true' : undefined}
          className={`rounded-md px-2 py-1 text-xs font-medium whitespace-nowrap ${one === range ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-raised'}`}
        >
          {labels[one]}
        </Link>
      ))}
    </nav>
  )
}
