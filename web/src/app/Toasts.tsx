import { CircleAlert, CircleCheck } from 'lucide-react'
import { useToaster } from 'react-hot-toast/headless'

/** Short messages about what was done. Without the library's own styles, which would need inline style sheets. */
export const Toasts = () => {
  const { toasts } = useToaster({ duration: 5_000 })
  return (
    <div className="pointer-events-none fixed inset-x-0 bottom-4 z-50 grid justify-items-center gap-2 px-4">
      {toasts
        .filter(toast => toast.visible)
        .map(toast => (
          <div
            key={toast.id}
            role={toast.type === 'error' ? 'alert' : 'status'}
            className="card pointer-events-auto flex max-w-lg items-start gap-2 px-4 py-3 text-sm shadow-lg wrap-anywhere"
          >
            {toast.type === 'error' ? (
              <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
            ) : (
              <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
            )}
            {String(toast.message)}
          </div>
        ))}
    </div>
  )
}
