import { Check, Copy } from 'lucide-react'
import { useState } from 'react'

interface CopyButtonProps {
  readonly text: string
  readonly what: string
}

/** Copies a text. Browsers have no clipboard on pages that are not served securely: there it shows the text, selected. */
export const CopyButton = ({ text, what }: CopyButtonProps) => {
  const [state, setState] = useState<'idle' | 'copied' | 'shown'>('idle')
  const copy = async (): Promise<void> => {
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    )
    setState(done ? 'copied' : 'shown')
    if (done) setTimeout(() => setState('idle'), 1_500)
  }
  return (
    <span className="relative inline-block">
      <button
        type="button"
        onClick={copy}
        aria-label={state === 'copied' ? `Copied ${what}` : `Copy ${what}`}
        className="rounded p-1 align-middle text-muted hover:bg-raised hover:text-ink"
      >
        {state === 'copied' ? <Check aria-hidden className="size-3.5" /> : <Copy aria-hidden className="size-3.5" />}
      </button>
      {state === 'shown' && (
        <textarea
          readOnly
          ref={area => area?.select()}
          value={text}
          rows={4}
          aria-label={`${what}, selected: press Ctrl+C to copy it`}
          onBlur={() => setState('idle')}
          onKeyDown={event => {
            if (event.key !== 'Escape') return
            // it closes this, not the dialog around it
            event.preventDefault()
            event.stopPropagation()
            setState('idle')
          }}
          className="field absolute top-full right-0 z-20 w-72 max-w-[80vw] font-mono text-xs shadow-lg"
        />
      )}
    </span>
  )
}
