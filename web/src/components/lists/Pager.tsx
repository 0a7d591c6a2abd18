import { ChevronLeft, ChevronRight, ChevronsLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { canGoBack, useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'

interface PagerProps {
  readonly nextCursor: string | null
  /** What this page has, in words. */
  readonly summary: string
  /** A button that downloads the list. */
  readonly download?: ReactNode
}

/** Pages by cursor: every page costs what the first one does. The cursor is part of the address. */
export const Pager = ({ nextCursor, summary, download }: PagerProps) => {
  const search = useSearch()
  const later = search.get('cursor') !== undefined
  const sorted = (search.get('sort') ?? 'newest') !== 'newest'
  return (
    <nav
      aria-label="Pages"
      className="flex flex-wrap items-center justify-between gap-2 border-t border-line px-4 py-2"
    >
      <p className="text-xs text-muted" aria-live="polite">
        {summary}
      </p>
      <div className="flex flex-wrap gap-1">
        {download}
        <Button
          look="quiet"
          disabled={!later}
          onClick={() => search.set({ cursor: null })}
          icon={<ChevronsLeft aria-hidden className="size-4" />}
        >
          {sorted ? 'First' : 'Newest'}
        </Button>
        <Button
          look="quiet"
          disabled={!later || !canGoBack()}
          onClick={() => history.back()}
          icon={<ChevronLeft aria-hidden className="size-4" />}
        >
          Back
        </Button>
        <Button look="quiet" disabled={nextCursor === null} onClick={() => search.set({ cursor: nextCursor })}>
          {sorted ? 'Next' : 'Older'}
          <ChevronRight aria-hidden className="size-4" />
        </Button>
      </div>
    </nav>
  )
}
