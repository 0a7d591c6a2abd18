import { useEffect, useRef } from 'react'
import type { Parked } from '../../../api/client.ts'
import { Button } from '../../../components/Button.tsx'
import { ActionBar } from './ActionBar.tsx'
import { counted, type Target } from './target.ts'

interface SelectionBarProps {
  readonly items: readonly Parked[]
  readonly picked: readonly Parked[]
  readonly allPicked: boolean
  readonly onPickPage: (on: boolean) => void
  readonly onClear: () => void
  /** Whether all that match are selected, also those on other pages. */
  readonly everything: boolean
  readonly onEverything: () => void
  /** All that the filters match; null when they contain a free text, which an action cannot take. */
  readonly matching: Extract<Target, { readonly kind: 'matching' }> | null
}

const targetOf = (picked: readonly Parked[]): Target => {
  const [first] = picked
  return picked.length === 1 && first !== undefined
    ? { kind: 'one', command: first }
    : { kind: 'many', commands: picked }
}

/** Selects the page, all that match, or nothing, and offers the actions on the selection. */
export const SelectionBar = ({
  items,
  picked,
  allPicked,
  onPickPage,
  onClear,
  everything,
  onEverything,
  matching,
}: SelectionBarProps) => {
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (box.current !== null) box.current.indeterminate = picked.length > 0 && !allPicked && !everything
  })
  return (
    <div className="sticky top-0 z-20 flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 rounded-t-[inherit] border-b border-line bg-surface px-4 py-1 text-sm sm:top-12">
      <label className="flex items-center gap-2">
        <input
          ref={box}
          type="checkbox"
          className="size-4"
          checked={allPicked || everything}
          onChange={event => {
            if (event.target.checked) onPickPage(true)
            else onClear()
          }}
        />
        Select page
      </label>
      {matching !== null && !everything && matching.total > items.length && (
        <Button look="quiet" onClick={onEverything}>
          Select all {counted(matching.total)} that match
        </Button>
      )}
      {(everything || picked.length > 0) && (
        <>
          <span role="status" className="font-medium">
            {counted(everything && matching !== null ? matching.total : picked.length)} selected
          </span>
          <div className="flex flex-wrap gap-2">
            <ActionBar target={everything && matching !== null ? matching : targetOf(picked)} onDone={onClear} />
            <Button look="quiet" onClick={onClear}>
              Select none
            </Button>
          </div>
        </>
      )}
    </div>
  )
}
