import { X } from 'lucide-react'
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  readonly wide?: boolean
}

/** A modal dialog: the browser keeps the focus inside and gives it back, Escape closes. */
export const Dialog = ({ title, onClose, children, wide = false }: DialogProps) => {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  // closed before it leaves the page: only then the browser gives the focus back
  useLayoutEffect(() => {
    const dialog = ref.current
    if (dialog !== null && !dialog.open) dialog.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      className={`card max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] p-0 shadow-2xl ${wide ? 'max-w-3xl' : 'max-w-lg'}`}
    >
      <div className="flex items-center justify-between gap-4 border-b border-line px-4 py-3">
        <h2 id={heading} className="text-base font-semibold">
          {title}
        </h2>
        <button
          type="button"
          onClick={onClose}
          aria-label="Close the dialog"
          className="rounded p-1 text-muted hover:bg-raised"
        >
          <X aria-hidden className="size-4" />
        </button>
      </div>
      <div className="grid gap-4 p-4 text-sm">{children}</div>
    </dialog>
  )
}

export const DialogButtons = ({ children }: { readonly children: ReactNode }) => (
  <div className="flex flex-wrap justify-end gap-2">{children}</div>
)
