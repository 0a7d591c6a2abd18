import { useEffect, useRef, useState } from 'react'
import type { Parked } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { ActionBar } from './ActionBar.tsx'
import { counted, type Target } from './target.ts'

interface SelectionBarProps {
  readonly items: readonly Parked[]
  readonly picked: readonly Parked[]
  readonly allPicked: boolean
  readonly onPickPage: (on: boolean) => void
  readonly onClear: () => void
  /** All that the filters match; null when they hold a free text, which an action cannot take. */
  readonly matching: Extract<Target, { readonly kind: 'matching' }> | null
}

const targetOf = (picked: readonly Parked[]): Target => {
  const [first] = picked
  return picked.length === 1 && first !== undefined
    ? { kind: 'one', command: first }
    : { kind: 'many', commands: picked }
}

/** Select the page, all that match, or nothing; and what to do with what is selected. */
export const SelectionBar = ({ items, picked, allPicked, onPickPage, onClear, matching }: SelectionBarProps) => {
  const [all, setAll] = useState(false)
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (box.current !== null) box.current.indeterminate = picked.length > 0 && !allPicked && !all
  })
  const everything = all && matching !== null
  const clear = (): void => {
    setAll(false)
    onClear()
  }
  return (
    <div className="flex min-h-13 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2 text-sm">
      <label className="flex items-center gap-2">
        <input
          ref={box}
          type="checkbox"
          className="size-4"
          checked={allPicked || everything}
          onChange={event => {
            if (event.target.checked) onPickPage(true)
            else clear()
          }}
        />
        Select page
      </label>
      {matching !== null && !everything && matching.total > items.length && (
        <Button look="quiet" onClick={() => setAll(true)}>
          Select all {counted(matching.total)} that match
        </Button>
      )}
      {(everything || picked.length > 0) && (
        <>
          <span role="status" className="font-medium">
            {counted(everything ? matching.total : picked.length)} selected
          </span>
          <div className="flex flex-wrap gap-2">
            <ActionBar target={everything ? matching : targetOf(picked)} onDone={clear} />
            <Button look="quiet" onClick={clear}>
              Select none
            </Button>
          </div>
        </>
      )}
    </div>
  )
}
